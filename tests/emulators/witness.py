"""Fills the emulators and looks at what they hold, with boto3: a view that owes nothing to leanlake.

    witness.py seed NAME            two buckets, their metrics, a workgroup with a query
    witness.py glue NAME            a job with a run, a table, a crawler with a crawl, triggers; prints what Glue says of them
    witness.py network NAME         a VPC with an explicit and an implicit route table, NAT, an S3 endpoint, and a budget;
                                    prints the ids as JSON, and how many other subnets have no table of their own
    witness.py compute NAME         an EMR cluster, an EMR Serverless application, a Redshift cluster; prints what boto3 sees
    witness.py member NAME          a bucket in one Region and a workgroup in another, in an account below; prints the account
                                    and the names of the buckets and workgroups that boto3 sees with its keys
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


def member(name):
    account = name[-12:]
    role = {"RoleArn": f"arn:aws:iam::{account}:role/reader", "RoleSessionName": "witness"}
    keys = boto3.client("sts").assume_role(**role)["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "eu-west-1")
    s3, athena = session.client("s3"), session.client("athena", region_name="us-east-1")
    s3.create_bucket(Bucket=f"{name}-member", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    athena.create_work_group(Name=name)
    buckets = sorted(bucket["Name"] for bucket in s3.list_buckets()["Buckets"])
    groups = sorted(group["Name"] for group in athena.list_work_groups()["WorkGroups"])
    print(json.dumps({"account": account, "buckets": buckets, "workgroups": groups}))


def point(bucket, day):
    dimensions = [{"Name": "BucketName", "Value": bucket}, {"Name": "StorageType", "Value": "StandardStorage"}]
    return {
        "MetricName": "BucketSizeBytes", "Timestamp": day, "Unit": "Bytes", "Value": 1e12, "Dimensions": dimensions
    }


def network(name):
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    own, plain = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24")["Subnet"]["SubnetId"] for n in (0, 1)
    )
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=own)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=plain, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table], VpcEndpointType="Gateway"
    )
    boto3.client("budgets").create_budget(
        AccountId=boto3.client("sts").get_caller_identity()["Account"],
        Budget={
            "BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "250", "Unit": "USD"},
        },
    )
    tables = ec2.describe_route_tables()["RouteTables"]
    main = next(t for t in tables if t["VpcId"] == vpc and any(a.get("Main") for a in t["Associations"]))
    explicit = {a["SubnetId"] for t in tables for a in t["Associations"] if "SubnetId" in a}
    others = [s["SubnetId"] for s in ec2.describe_subnets()["Subnets"] if s["VpcId"] != vpc]
    lists = {p["PrefixListId"] for p in ec2.describe_managed_prefix_lists()["PrefixLists"] if p["PrefixListName"].endswith(".s3")}
    print(json.dumps({
        "vpc": vpc, "own_subnet": own, "plain_subnet": plain, "own_table": table, "nat": nat,
        "main_table": main["RouteTableId"], "other_implicit": sum(s not in explicit for s in others),
        "s3_routes": sum(r.get("DestinationPrefixListId") in lists for t in tables for r in t["Routes"]),
    }))


def compute(name):
    emr, serverless, redshift = (boto3.client(service) for service in ("emr", "emr-serverless", "redshift"))
    group = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1, "Market": "ON_DEMAND"}
    task = {"InstanceRole": "TASK", "InstanceType": "r5.xlarge", "InstanceCount": 3, "Market": "SPOT", "BidPrice": "0.1"}
    cluster = emr.run_job_flow(
        Name=name, ReleaseLabel="emr-6.15.0", Applications=[{"Name": "Spark"}], LogUri="s3://logs/",
        Instances={"InstanceGroups": [group, task], "KeepJobFlowAliveWhenNoSteps": True, "TerminationProtected": True},
        JobFlowRole="EMR_EC2_DefaultRole", ServiceRole="EMR_DefaultRole", VisibleToAllUsers=True,
        Tags=[{"Key": "owner", "Value": "data"}],
    )["JobFlowId"]
    application = serverless.create_application(
        name=name, releaseLabel="emr-6.15.0", type="SPARK",
        autoStopConfiguration={"enabled": True, "idleTimeoutMinutes": 30},
        initialCapacity={"Driver": {"workerCount": 2, "workerConfiguration": {"cpu": "4 vCPU", "memory": "16 GB"}}},
    )["applicationId"]
    redshift.create_cluster(
        ClusterIdentifier=name, NodeType="ra3.xlplus", ClusterType="multi-node", NumberOfNodes=2, DBName="lake",
        MasterUsername="admin", MasterUserPassword="Passw0rd1",
    )
    seen = emr.describe_cluster(ClusterId=cluster)["Cluster"]
    warehouse = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0]
    print(json.dumps({
        "cluster_id": cluster,
        "state": seen["Status"]["State"],
        "groups": len(emr.list_instance_groups(ClusterId=cluster)["InstanceGroups"]),
        "application_id": application,
        "application_state": serverless.get_application(applicationId=application)["application"]["state"],
        "warehouse_status": warehouse["ClusterStatus"],
        "nodes": warehouse["NumberOfNodes"],
    }))


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


def glue(name):
    glue = boto3.client("glue")
    role, bucket = "arn:aws:iam::123456789012:role/glue", f"s3://{name}-lake/orders/"
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{name}-lake/etl.py"}
    arguments = {"--enable-auto-scaling": "true", "--password": "a secret"}
    glue.create_job(
        Name=name, Role=role, Command=command, WorkerType="G.2X", NumberOfWorkers=3, GlueVersion="4.0",
        DefaultArguments=arguments, Timeout=90, ExecutionProperty={"MaxConcurrentRuns": 2},
    )
    glue.start_job_run(JobName=name)
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}
    storage = {"Location": bucket, "Columns": [{"Name": "id", "Type": "int"}], "SerdeInfo": serde}
    table = {"Name": "orders", "PartitionKeys": [{"Name": "day", "Type": "date"}], "StorageDescriptor": storage}
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_table(DatabaseName=name, TableInput={**table, "Parameters": {"classification": "parquet"}})
    glue.create_crawler(
        Name=name, Role=role, DatabaseName=name, Targets={"S3Targets": [{"Path": bucket}]}, Schedule="cron(0 1 * * ? *)"
    )
    glue.start_crawler(Name=name)
    condition = {"LogicalOperator": "EQUALS", "JobName": name, "State": "SUCCEEDED"}
    predicate = {"Logical": "AND", "Conditions": [condition]}
    glue.create_trigger(Name=name, Type="CONDITIONAL", Predicate=predicate, Actions=[{"CrawlerName": name}])
    glue.create_workflow(Name=name)
    print(json.dumps({
        "job": glue.get_job(JobName=name)["Job"],
        "run": glue.get_job_runs(JobName=name)["JobRuns"][0],
        "table": glue.get_table(DatabaseName=name, Name="orders")["Table"],
        "crawl": glue.list_crawls(CrawlerName=name)["Crawls"][0],
    }, default=str))


def settings(name):
    """Sets on the lake's buckets whatever a bucket can be set to."""
    s3 = boto3.client("s3")
    lake, backup, locked = f"{name}-lake", f"{name}-backup", f"{name}-locked"
    s3.create_bucket(Bucket=backup)
    s3.put_bucket_versioning(Bucket=backup, VersioningConfiguration={"Status": "Enabled"})
    s3.create_bucket(Bucket=locked, ObjectLockEnabledForBucket=True)
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": retention}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=lock)
    arn = f"arn:aws:s3:::{backup}"
    s3.put_bucket_intelligent_tiering_configuration(
        Bucket=lake,
        Id="cold",
        IntelligentTieringConfiguration={
            "Id": "cold", "Status": "Enabled", "Filter": {"Prefix": "old/"},
            "Tierings": [{"Days": 125, "AccessTier": "ARCHIVE_ACCESS"}],
        },
    )
    s3.put_bucket_inventory_configuration(
        Bucket=lake,
        Id="all",
        InventoryConfiguration={
            "Id": "all", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Weekly"},
            "OptionalFields": ["Size", "StorageClass"],
            "Destination": {"S3BucketDestination": {"Bucket": arn, "Format": "Parquet", "Prefix": "inv"}},
        },
    )
    s3.put_bucket_analytics_configuration(
        Bucket=lake, Id="ages", AnalyticsConfiguration={"Id": "ages", "StorageClassAnalysis": {}}
    )
    s3.put_bucket_metrics_configuration(Bucket=lake, Id="whole", MetricsConfiguration={"Id": "whole"})
    destination = {"Bucket": arn, "StorageClass": "GLACIER_IR"}
    rule = {
        "ID": "dr", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Destination": destination,
        "DeleteMarkerReplication": {"Status": "Disabled"},
    }
    replication = {"Role": "arn:aws:iam::123456789012:role/r", "Rules": [rule]}
    s3.put_bucket_replication(Bucket=lake, ReplicationConfiguration=replication)
    s3.put_bucket_request_payment(Bucket=lake, RequestPaymentConfiguration={"Payer": "Requester"})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key-1"}
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
    s3.put_bucket_encryption(Bucket=lake, ServerSideEncryptionConfiguration=encryption)
    target = {"TargetBucket": backup, "TargetPrefix": "logs/"}
    s3.put_bucket_logging(Bucket=lake, BucketLoggingStatus={"LoggingEnabled": target})


{
    "seed": seed, "glue": glue, "compute": compute, "network": network, "lifecycle": lifecycle, "settings": settings,
    "member": member,
}[sys.argv[1]](sys.argv[2])
