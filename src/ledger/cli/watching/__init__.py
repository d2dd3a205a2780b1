"""The verb `watch`: the topic of notifications, by a subscription that ends with the verb."""
