"""What platform engineers do to a ledger in use: releases, restores, replays, redrives."""
