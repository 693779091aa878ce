"""Fills the emulators and looks at what they hold, with boto3: a view that owes nothing to leanlake.

    witness.py seed NAME            two buckets, their metrics, a workgroup with a query
    witness.py lifecycle BUCKET     prints the rules and the small-object header as JSON; null when there are none

The emulators' addresses come from AWS_ENDPOINT_URL (moto) and AWS_ENDPOINT_URL_S3, _CLOUDWATCH (LocalStack).
"""

import datetime as dt
import json
import sys

import boto3

HEADER = "x-amz-transition-default-minimum-object-size"
FOREIGN = [
    {"ID": "large-only", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 1048576}, "Expiration": {"Days": 900}},
    {
        "ID": "tagged",
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "raw/", "Tags": [{"Key": "team", "Value": "bi"}]}},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3},
    },
]


def seed(name):
    s3, cloudwatch, athena = (boto3.client(service) for service in ("s3", "cloudwatch", "athena"))
    lake, bare = f"{name}-lake", f"{name}-bare"
    for bucket in (lake, bare):
        s3.create_bucket(Bucket=bucket)
        for n, size in enumerate((5 << 20, 6 << 20)):
            key = f"raw/part {n}.parquet"
            upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
            s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"0" * size)
    s3.put_bucket_versioning(Bucket=lake, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket=lake, Tagging={"TagSet": [{"Key": "owner", "Value": "data"}]})
    s3.put_bucket_lifecycle_configuration(
        Bucket=lake,
        LifecycleConfiguration={"Rules": FOREIGN},
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
    )
    midnight = dt.datetime.now(dt.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    for days in range(1, 41):
        cloudwatch.put_metric_data(Namespace="AWS/S3", MetricData=[point(lake, midnight - dt.timedelta(days=days))])
    athena.create_work_group(Name=name, Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/"}})
    athena.start_query_execution(QueryString="select 'a secret' from t", WorkGroup=name)


def point(bucket, day):
    dimensions = [{"Name": "BucketName", "Value": bucket}, {"Name": "StorageType", "Value": "StandardStorage"}]
    return {
        "MetricName": "BucketSizeBytes", "Timestamp": day, "Unit": "Bytes", "Value": 1e12, "Dimensions": dimensions
    }


def lifecycle(bucket):
    s3 = boto3.client("s3")
    try:
        answer = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        print("null")
        return
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    print(json.dumps({"rules": answer["Rules"], "minimum_size": headers.get(HEADER)}, default=str))


{"seed": seed, "lifecycle": lifecycle}[sys.argv[1]](sys.argv[2])
