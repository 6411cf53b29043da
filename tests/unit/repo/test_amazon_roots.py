import datetime
import ssl

import pytest
from cryptography import x509

from gochat_repo.mysql_pool import AMAZON_CA_BUNDLE, MySqlSettings, amazon_roots, tls_context

REGIONS = ["us-east-1", "us-west-2", "eu-central-1", "ap-southeast-1"]


def test_the_bundle_holds_valid_roots_of_amazon_and_nothing_else() -> None:
    roots = x509.load_pem_x509_certificates(AMAZON_CA_BUNDLE.read_bytes())
    assert len(roots) >= 80
    in_ten_years = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=3650)
    for root in roots:
        root.verify_directly_issued_by(root)
        assert root.not_valid_after_utc > in_ten_years
        assert "Amazon RDS" in root.subject.rfc4514_string()


@pytest.mark.parametrize("region", REGIONS)
def test_a_host_is_trusted_by_the_roots_of_its_region_alone(region: str) -> None:
    host = f"gochat.cluster-c1.{region}.rds.amazonaws.com"
    roots = x509.load_pem_x509_certificates(amazon_roots(host).encode())
    assert len(roots) == 3
    assert all(f"Amazon RDS {region} Root CA" in root.subject.rfc4514_string() for root in roots)


def test_an_unknown_region_gets_every_root() -> None:
    assert amazon_roots("database.example.com") == AMAZON_CA_BUNDLE.read_text()


def test_iam_means_tls_with_the_servers_name_verified() -> None:
    settings = MySqlSettings(
        mysql_host="gochat.cluster-c1.eu-central-1.rds.amazonaws.com",
        mysql_user="gochat",
        mysql_database="gochat",
        mysql_auth="iam",
    )
    context = tls_context(settings)
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 3
