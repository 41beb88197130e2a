"""Tells the stories of stories_test.go with boto3, each to an endpoint of its own.

    python3 stories.py user_life=http://127.0.0.1:8333 ...

The credentials of the account's root are in the environment, the files that a
story reads in a folder of its name.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Teller:
    """The clients of one story."""

    def __init__(self, name, endpoint):
        self.name, self.endpoint = name, endpoint

    def client(self, service, key=None):
        """A client that signs as root, or with the key that CreateAccessKey answered."""
        signed = {}
        if key:
            signed = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(service, endpoint_url=self.endpoint, config=config, **signed)

    def text(self, file):
        """The content of one of the story's files."""
        with open(f"{self.name}/{file}", encoding="utf-8") as f:
            return f.read()


def refused(code, call, **parameters):
    """Makes a call that has to be refused with an error code."""
    try:
        call(**parameters)
    except ClientError as e:
        if e.response["Error"]["Code"] == code:
            return
        raise
    raise AssertionError(f"it was not refused with {code}")


def user_life(t):
    iam = t.client("iam")
    iam.create_user(UserName="Alice", Path="/staff/", Tags=[{"Key": "team", "Value": "blue + green"}])
    iam.get_user(UserName="Alice")
    iam.tag_user(UserName="Alice", Tags=[{"Key": "level", "Value": "1"}])
    iam.list_user_tags(UserName="Alice")
    iam.untag_user(UserName="Alice", TagKeys=["team"])
    iam.update_user(UserName="Alice", NewUserName="Zoe", NewPath="/")
    refused("NoSuchEntity", iam.get_user, UserName="Alice")
    iam.get_user(UserName="Zoe")
    iam.delete_user(UserName="Zoe")
    refused("NoSuchEntity", iam.delete_user, UserName="Zoe")


def key_rotation(t):
    iam = t.client("iam")
    iam.create_user(UserName="Alice")
    first = iam.create_access_key(UserName="Alice")["AccessKey"]
    second = iam.create_access_key(UserName="Alice")["AccessKey"]
    t.client("sts", second).get_caller_identity()
    iam.update_access_key(UserName="Alice", AccessKeyId=first["AccessKeyId"], Status="Inactive")
    refused("InvalidClientTokenId", t.client("sts", first).get_caller_identity)
    iam.delete_access_key(UserName="Alice", AccessKeyId=first["AccessKeyId"])
    iam.list_access_keys(UserName="Alice")
    iam.delete_access_key(UserName="Alice", AccessKeyId=second["AccessKeyId"])
    iam.delete_user(UserName="Alice")


def group_life(t):
    iam = t.client("iam")
    iam.create_user(UserName="Alice")
    iam.create_group(GroupName="Readers")
    iam.put_group_policy(GroupName="Readers", PolicyName="read", PolicyDocument=t.text("policy.json"))
    iam.get_group_policy(GroupName="Readers", PolicyName="read")
    member = t.client("iam", iam.create_access_key(UserName="Alice")["AccessKey"])
    refused("AccessDenied", member.list_user_tags, UserName="Alice")
    iam.add_user_to_group(GroupName="Readers", UserName="Alice")
    member.list_user_tags(UserName="Alice")
    iam.list_groups_for_user(UserName="Alice")
    iam.get_group(GroupName="Readers")
    refused("DeleteConflict", iam.delete_group, GroupName="Readers")
    iam.remove_user_from_group(GroupName="Readers", UserName="Alice")
    refused("AccessDenied", member.list_user_tags, UserName="Alice")
    iam.delete_group_policy(GroupName="Readers", PolicyName="read")
    iam.delete_group(GroupName="Readers")


def policy_life(t):
    iam = t.client("iam")
    arn = iam.create_policy(PolicyName="Reading", PolicyDocument=t.text("first.json"))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=t.text("second.json"), SetAsDefault=False)
    for _ in iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn, PaginationConfig={"PageSize": 1}):
        pass
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    iam.get_policy_version(PolicyArn=arn, VersionId="v2")
    iam.create_user(UserName="Alice")
    iam.attach_user_policy(UserName="Alice", PolicyArn=arn)
    iam.list_attached_user_policies(UserName="Alice")
    refused("DeleteConflict", iam.delete_policy, PolicyArn=arn)
    iam.detach_user_policy(UserName="Alice", PolicyArn=arn)
    refused("DeleteConflict", iam.delete_policy_version, PolicyArn=arn, VersionId="v2")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)


def off_boarding(t):
    iam = t.client("iam")
    iam.create_user(UserName="Alice")
    key = iam.create_access_key(UserName="Alice")["AccessKey"]
    iam.put_user_policy(UserName="Alice", PolicyName="own", PolicyDocument=t.text("policy.json"))
    refused("DeleteConflict", iam.delete_user, UserName="Alice")
    iam.delete_access_key(UserName="Alice", AccessKeyId=key["AccessKeyId"])
    iam.list_user_policies(UserName="Alice")
    iam.delete_user_policy(UserName="Alice", PolicyName="own")
    iam.delete_user(UserName="Alice")


def object_rights(t):
    iam, bucket = t.client("iam"), "photos-of-hers"
    t.client("s3").create_bucket(Bucket=bucket)
    iam.create_user(UserName="Alice")
    key = iam.create_access_key(UserName="Alice")["AccessKey"]
    s3, content = t.client("s3", key), t.text("hello.txt")
    refused("AccessDenied", s3.put_object, Bucket=bucket, Key="public/hello.txt", Body=content)
    iam.put_user_policy(UserName="Alice", PolicyName="own", PolicyDocument=t.text("policy.json"))
    s3.put_object(Bucket=bucket, Key="public/hello.txt", Body=content)
    s3.get_object(Bucket=bucket, Key="public/hello.txt")["Body"].read()
    refused("AccessDenied", s3.put_object, Bucket=bucket, Key="private/hello.txt", Body=content)
    refused("AccessDenied", s3.list_objects_v2, Bucket=bucket)
    refused("AccessDenied", s3.delete_object, Bucket=bucket, Key="public/hello.txt")
    iam.update_access_key(UserName="Alice", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused("InvalidAccessKeyId", s3.get_object, Bucket=bucket, Key="public/hello.txt")


STORIES = (user_life, key_rotation, group_life, policy_life, off_boarding, object_rights)

if __name__ == "__main__":
    told = {story.__name__: story for story in STORIES}
    for argument in sys.argv[1:]:
        name, endpoint = argument.split("=", 1)
        told[name](Teller(name, endpoint))
