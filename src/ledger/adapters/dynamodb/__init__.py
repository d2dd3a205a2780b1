"""The event store on DynamoDB: two tables, one transaction a commit."""
