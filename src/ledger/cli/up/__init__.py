"""The main job: the whole stack on this machine, fed, verified and summed up."""
