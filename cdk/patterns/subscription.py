"""A queue subscribed to a topic."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.patterns.queues import BufferedQueue


class Subscription(Construct):
    """Brings every message of a topic, as it was published, into a queue or else into its DLQ.

    Not the CDK's own: it would name the topic in the policy of the queue's key, which encrypts the
    topic as well, and neither could be made first. The key lets in the stage's topics by name.
    """

    def __init__(self, scope: Construct, id: str, *, topic: sns.ITopic, to: BufferedQueue) -> None:
        super().__init__(scope, id)
        sns.CfnSubscription(
            self,
            "Subscription",
            topic_arn=topic.topic_arn,
            protocol="sqs",
            endpoint=to.queue.queue_arn,
            raw_message_delivery=True,
            redrive_policy={"deadLetterTargetArn": to.dead_letters.queue_arn},
        )
        for queue in (to.queue, to.dead_letters):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
                )
            )
