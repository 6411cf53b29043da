"""Stores that exist already, as the functions of a stack see them."""

from aws_cdk import CfnParameter, Stack

from cdk_app.store_settings import External, ExternalCache, ExternalDatabase, ExternalKafka
from cdk_app.stores import CacheStore, DatabaseStore, KafkaStore, Stores


def external_stores(stack: Stack, settings: External) -> Stores:
    """Return the stores; addresses that the settings leave open become parameters of the stack.

    Each stack has its own: values handed on from one stack to the next are exports, and CloudFormation refuses to
    change an export that is in use, so a moved port could never be deployed. Parameters also keep the synthesized
    templates the same whatever the ports are.
    """
    return Stores(
        kafka=_kafka(stack, settings, settings.kafka),
        database=_database(stack, settings, settings.database),
        cache=_cache(stack, settings, settings.cache),
    )


def _parameter(stack: Stack, name: str, description: str, default: str | None = None) -> str:
    return CfnParameter(stack, name, type="String", description=description, default=default).value_as_string


def _kafka(stack: Stack, settings: External, kafka: ExternalKafka) -> KafkaStore:
    return KafkaStore(
        bootstrap=kafka.bootstrap or _parameter(stack, "KafkaBootstrap", "Kafka's bootstrap servers, host:port,…"),
        auth=kafka.auth,
        cluster_arn=kafka.cluster_arn,
        secret_arn=kafka.secret_arn,
        ca_secret_arn=kafka.ca_secret_arn,
        key_arn=settings.key_arn,
        network=settings.network,
    )


def _database(stack: Stack, settings: External, database: ExternalDatabase) -> DatabaseStore:
    if database.host:
        host, port = database.host, str(database.port)
    else:
        host = _parameter(stack, "MysqlHost", "Host of the MySQL server")
        port = _parameter(stack, "MysqlPort", "Port of the MySQL server", "3306")
    return DatabaseStore(
        host=host,
        reader_host=database.reader_host or host,
        port=port,
        auth=database.auth,
        user=database.user,
        migration_user=database.migration_user or database.user,
        resource_ids=(database.resource_id,) if database.resource_id else (),
        secret_arn=database.secret_arn,
        migration_secret_arn=database.migration_secret_arn,
        key_arn=settings.key_arn,
    )


def _cache(stack: Stack, settings: External, cache: ExternalCache) -> CacheStore:
    if cache.host:
        host, port = cache.host, str(cache.port)
    else:
        host = _parameter(stack, "RedisHost", "Host of a node of the Redis or Valkey cluster")
        port = _parameter(stack, "RedisPort", "Its port", "6379")
    return CacheStore(
        host=host,
        port=port,
        auth=cache.auth,
        user=cache.user,
        cache_name=cache.cache_name,
        secret_arn=cache.secret_arn,
        key_arn=settings.key_arn,
    )
