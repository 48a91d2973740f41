"""The settings: defaults, and each invalid value refused in one line."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from tracker.access.actor import Role
from tracker.core.paths import ROOT
from tracker.settings import Settings, SettingsError


def read(**environment: str) -> Settings:
    return Settings.from_environment(
        {f"TRACKER_{name}": value for name, value in environment.items()}
    )


def test_without_anything_set_the_settings_are_safe() -> None:
    settings = Settings.from_environment({})
    assert settings.data_dir == ROOT / "instance"
    assert settings.database_url == f"sqlite:///{ROOT / 'instance' / 'tracker.sqlite3'}"
    assert settings.base_url == "http://localhost:8000"
    assert settings.mail_url == f"file://{ROOT / 'instance' / 'mail'}"
    assert settings.mail_from == "Common Terms <no-reply@localhost>"
    assert settings.secret_key is None
    assert settings.host == "127.0.0.1"
    assert (settings.demo, settings.testing, settings.secure) == (False, False, False)


def test_the_environment_of_the_process_is_read_when_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKER_COUNTRY", "Maravena")
    assert Settings.from_environment().country == "Maravena"


def test_paths_in_the_data_directory_follow_it(tmp_path: Path) -> None:
    settings = read(DATA_DIR=str(tmp_path))
    assert settings.data_dir == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path / 'tracker.sqlite3'}"
    assert settings.mail_url == f"file://{tmp_path / 'mail'}"


def test_settings_are_never_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        read().demo = True  # type: ignore[misc] # the test is that it can't be


def test_secure_cookies_follow_the_address() -> None:
    settings = read(BASE_URL="https://terms.example/")
    assert settings.secure
    assert settings.base_url == "https://terms.example"
    assert settings.mail_from == "Common Terms <no-reply@terms.example>"


def test_the_port_follows_the_address_unless_it_is_set() -> None:
    assert read(BASE_URL="http://localhost:8123").port == 8123
    assert read(BASE_URL="http://localhost:8123", PORT="9000").port == 9000
    assert read(BASE_URL="https://terms.example").port == 8000
    assert read(PORT="9000").base_url == "http://localhost:9000"


@pytest.mark.parametrize(
    ("given", "normalised"),
    [
        ("postgresql://u:p@db/x", "postgresql+psycopg://u:p@db/x"),
        ("postgres://u:p@db/x", "postgresql+psycopg://u:p@db/x"),
        ("postgresql+psycopg://u@db:5433/x", "postgresql+psycopg://u@db:5433/x"),
        ("postgresql:///x?host=/run/sockets", "postgresql+psycopg:///x?host=/run/sockets"),
        ("sqlite:////var/lib/x.sqlite3", "sqlite:////var/lib/x.sqlite3"),
    ],
)
def test_two_databases_are_supported(given: str, normalised: str) -> None:
    assert read(DATABASE_URL=given, WITHOUT_TLS="database").database_url == normalised


def test_a_database_is_there_once_its_file_is(tmp_path: Path) -> None:
    assert not read(DATA_DIR=str(tmp_path)).database_is_there
    (tmp_path / "tracker.sqlite3").touch()
    assert read(DATA_DIR=str(tmp_path)).database_is_there
    with_options = read(DATABASE_URL=f"sqlite:///{tmp_path / 'tracker.sqlite3'}?timeout=5")
    assert with_options.database_is_there
    assert not read(DATABASE_URL="postgresql://db/x?sslmode=verify-ca").database_is_there


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    assert read(COUNTRY="  Maravena ", WORKERS=" 3 ").workers == 3
    assert read(COUNTRY="  Maravena ").country == "Maravena"


def test_an_empty_value_is_as_none() -> None:
    assert read(WORKERS="", SECRET_KEY="  ") == Settings.from_environment({})


def test_languages_are_a_list_whose_first_is_the_default() -> None:
    assert read(LANGUAGES="ar, en").languages == ("ar", "en")
    assert read(LANGUAGES="ar").languages == ("ar",)


def test_three_roles_need_a_second_factor_unless_it_is_set_otherwise() -> None:
    assert read().second_factor_roles == (Role.SIGNATORY, Role.MANAGER, Role.ADMINISTRATOR)
    chosen = read(SECOND_FACTOR_ROLES="manager, member").second_factor_roles
    assert chosen == (Role.MANAGER, Role.MEMBER)
    assert all(isinstance(role, Role) for role in chosen)
    assert read(SECOND_FACTOR_ROLES="none").second_factor_roles == ()


def test_the_greatest_size_of_a_request_is_given_in_kilobytes() -> None:
    assert read(MAX_REQUEST_KB="64").max_upload_bytes == 65536


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db/x"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///beside.sqlite3"),
        ("DATABASE_URL", "postgresql://db:port/x"),
        ("DATABASE_URL", "postgresql://db"),
        ("DATABASE_URL", "file.sqlite3"),
        ("MALWARE_COMMAND", "clamdscan -"),
        ("MALWARE_COMMAND", "/usr/bin/clamdscan '"),
        ("MALWARE_COMMAND", "''"),
        ("BASE_URL", "terms.example"),
        ("BASE_URL", "ftp://terms.example"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "http://:8000"),
        ("BASE_URL", "http://terms.example:port"),
        ("BASE_URL", "http://terms.example:99999"),
        ("BASE_URL", "http://[::1"),
        ("BASE_URL", "http://[::1]:8000"),
        ("BASE_URL", "https://."),
        ("TRUSTED_HOSTS", "https://terms.example"),
        ("TRUSTED_HOSTS", "terms.internal:8000"),
        ("TRUSTED_HOSTS", "terms.internal,.example"),
        ("TRUSTED_HOSTS", "*"),
        ("TRUSTED_HOSTS", "."),
        ("TRUSTED_HOSTS", "terms.internal.."),
        ("BASE_URL", "https://terms.example/?a=b"),
        ("BASE_URL", "https://terms.example/#top"),
        ("BASE_URL", "https://me:secret@terms.example"),
        ("MAIL_URL", "mail.example"),
        ("MAIL_URL", "pigeon://mail.example"),
        ("MAIL_FROM", "Common Terms"),
        ("MAIL_FROM", "Common Terms <no-reply>"),
        ("MAIL_FROM", "a@terms.example\nBcc: b@terms.example"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "x" * 31),
        ("TIMEZONE", "Nowhere/Here"),
        ("TIMEZONE", "../../etc/passwd"),
        ("TIMEZONE", "Europe"),
        ("LANGUAGES", ","),
        ("LANGUAGES", "en,xx"),
        ("LANGUAGES", "en,en"),
        ("SECOND_FACTOR_ROLES", "president"),
        ("SECOND_FACTOR_ROLES", "manager,manager"),
        ("SECOND_FACTOR_ROLES", "none,manager"),
        ("SECOND_FACTOR_ROLES", ","),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "٨٠٨٠"),
        ("WORKERS", "0"),
        ("WORKERS", "65"),
        ("WORKERS", "2.5"),
        ("IDLE_MINUTES", "0"),
        ("IDLE_MINUTES", "1441"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "169"),
        ("INVITATION_DAYS", "0"),
        ("INVITATION_DAYS", "91"),
        ("MAX_REQUEST_KB", "63"),
        ("MAX_REQUEST_KB", "999999999999"),
        ("HSTS", "everywhere"),
        ("HSTS", "preload"),  # without https
        ("WITHOUT_TLS", "everything"),
        ("WITHOUT_TLS", "mail,mail"),
        ("DEMO", "yes"),
        ("DEMO", "true"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    words = str(refused.value)
    assert words.startswith(f"TRACKER_{name} must ")
    assert "\n" not in words
    assert len(words) < 140


@pytest.mark.parametrize("value", ["http://[::1]:8000", "https://[2001:db8::1]"])
def test_a_base_address_of_ipv6_is_refused_by_name(value: str) -> None:
    with pytest.raises(SettingsError, match=r"a host name or an IPv4 address, not IPv6"):
        read(BASE_URL=value)


def test_host_names_are_the_same_in_capital_letters_and_with_a_final_dot() -> None:
    settings = read(BASE_URL="HTTPS://Terms.Example.:8443", TRUSTED_HOSTS="Terms.INTERNAL., B")
    assert settings.base_url == "https://terms.example:8443"
    assert settings.trusted_hosts == ("terms.internal", "b")
    assert settings.mail_from == "Common Terms <no-reply@terms.example>"


@pytest.mark.parametrize("value", ["~nobody-of-that-name/data", "a\0b"])
def test_a_data_directory_that_can_not_be_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="TRACKER_DATA_DIR must be a folder"):
        read(DATA_DIR=value)


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        with pytest.raises(SettingsError, match="TRACKER_DATA_DIR must be a folder"):
            read(DATA_DIR=str(place))


def test_a_secret_key_is_never_shown_in_a_message() -> None:
    with pytest.raises(SettingsError) as refused:
        read(SECRET_KEY="pebble-lantern")
    assert "pebble" not in str(refused.value)


def test_secrets_are_not_shown_with_the_settings() -> None:
    shown = repr(
        read(
            SECRET_KEY="pebble-lantern-quiet-river-bridge",
            DATABASE_URL="postgresql://u:pebble@db/x?sslmode=verify-full",
            MAIL_URL="smtps://u:pebble@mail.example",
        )
    )
    assert "pebble" not in shown
    assert "base_url='http://localhost:8000'" in shown


def test_the_command_for_uploaded_files_is_split_into_words_without_a_shell() -> None:
    assert read().malware_command == ()
    command = read(MALWARE_COMMAND="/usr/bin/check --by 'a b' $HOME;").malware_command
    assert command == ("/usr/bin/check", "--by", "a b", "$HOME;")


def test_metrics_are_never_on_the_port_of_the_pages() -> None:
    assert read().metrics_port == 0
    assert read(METRICS_PORT="9464").metrics_host == "127.0.0.1"
    for environment in ({}, {"PORT": "9464"}, {"BASE_URL": "http://localhost:9464"}):
        port = environment.get("PORT", environment.get("BASE_URL", "8000")[-4:])
        with pytest.raises(SettingsError, match="TRACKER_METRICS_PORT must be another port"):
            read(METRICS_PORT=port, **environment)


def test_all_unknown_names_are_refused_together() -> None:
    with pytest.raises(SettingsError) as refused:
        read(DATADIR="/x", WORKER="3", COUNTRY="Maravena")
    assert str(refused.value).startswith("TRACKER_DATADIR, TRACKER_WORKER: there is no such")


def test_names_for_tests_and_other_programs_are_ignored() -> None:
    assert Settings.from_environment({"TRACKER_TEST_X": "1", "OTHER": "1"}) == read()


def test_what_the_environment_gives_is_known_also_if_it_is_the_default() -> None:
    given = read(TIMEZONE="UTC", LANGUAGES="ar", COUNTRY=" ")
    assert {"TIMEZONE", "LANGUAGES"} <= given.chosen
    assert not {"COUNTRY", "PORT"} & given.chosen


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_operations_documents_every_setting_by_name(field: str) -> None:
    if field in {"testing", "chosen"}:  # not set from outside
        return
    name = {"max_upload_bytes": "max_request_kb"}.get(field, field)
    assert f"`TRACKER_{name.upper()}`" in (ROOT / "docs" / "operations.md").read_text()


def test_a_timestamp_service_is_named_by_its_address_or_not_at_all() -> None:
    assert read().timestamp_url == ""
    assert read(TIMESTAMP_URL="https://stamps.example/tsa").timestamp_url.endswith("/tsa")
    for wrong in (
        "stamps.example",
        "ftp://stamps.example",
        "https://a:b@stamps.example",
        "http://",
    ):
        with pytest.raises(SettingsError, match="TRACKER_TIMESTAMP_URL"):
            read(TIMESTAMP_URL=wrong)


PLAIN = [
    ("pages", "BASE_URL", "http://terms.example"),
    ("mail", "MAIL_URL", "smtp://mail.example"),
    ("mail", "MAIL_URL", "smtp://mail.example?starttls=0"),
    ("database", "DATABASE_URL", "postgresql://u:p@db.example/x"),
    ("database", "DATABASE_URL", "postgresql://u:p@db.example/x?sslmode=prefer"),
    ("database", "DATABASE_URL", "postgresql://u:p@db.example/x?sslmode=require"),
    ("database", "DATABASE_URL", "postgresql:///x?host=/run/sockets,db.example"),
    ("database", "DATABASE_URL", "postgresql:///x?hostaddr=192.0.2.1"),
    ("database", "DATABASE_URL", "postgresql://db.example/x?sslmode=require&sslmode=disable"),
    ("timestamps", "TIMESTAMP_URL", "http://stamps.example/tsa"),
]


@pytest.mark.parametrize(("service", "name", "url"), PLAIN)
def test_a_service_without_tls_is_used_only_if_it_is_named(
    service: str, name: str, url: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: url})
    words = str(refused.value)
    assert words.startswith(f"TRACKER_{name} must ")
    assert words.endswith(f"TRACKER_WITHOUT_TLS={service} to go without TLS")
    assert url not in words
    others = {"pages", "mail", "database", "timestamps"} - {service}
    with pytest.raises(SettingsError):
        read(**{name: url, "WITHOUT_TLS": ",".join(others)})
    named = read(**{name: url, "WITHOUT_TLS": f"{service}, {others.pop()}"}).without_tls
    assert named[0] == service


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"PGHOST": "db.example"}, "postgresql:///x"),
        ({"PGHOSTADDR": "192.0.2.1"}, "postgresql:///x?host=/run/sockets"),
        ({"PGHOST": "db.example", "PGSSLMODE": "prefer"}, "postgresql:///x"),
        ({"PGSERVICE": "elsewhere"}, "postgresql:///x"),
        ({}, "postgresql:///x?service=elsewhere"),
    ],
)
def test_what_the_databases_client_reads_from_the_environment_needs_tls_too(
    given: dict[str, str], url: str
) -> None:
    with pytest.raises(SettingsError, match="TRACKER_DATABASE_URL must"):
        Settings.from_environment({"TRACKER_DATABASE_URL": url, **given})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({"PGHOST": "db.example", "PGSSLMODE": "verify-full"}, "postgresql:///x"),
        ({"PGHOST": "db.example"}, "postgresql://localhost/x"),
        ({"PGHOST": "/run/sockets"}, "postgresql:///x"),
    ],
)
def test_the_environment_may_name_tls_or_this_machine(given: dict[str, str], url: str) -> None:
    assert Settings.from_environment({"TRACKER_DATABASE_URL": url, **given}).database_url


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("BASE_URL", "https://terms.example"),
        ("BASE_URL", "http://127.0.0.1:8000"),
        ("MAIL_URL", "smtps://mail.example"),
        ("MAIL_URL", "smtp://mail.example?starttls=1"),
        ("MAIL_URL", "smtp://localhost:25"),
        ("DATABASE_URL", "postgresql://u:p@db.example/x?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1/x"),
        ("DATABASE_URL", "postgresql://u:p@[::1]/x"),
        ("DATABASE_URL", "postgresql:///x?host=/run/sockets"),
        ("DATABASE_URL", "postgresql:///x"),
        ("TIMESTAMP_URL", "https://stamps.example/tsa"),
        ("TIMESTAMP_URL", "http://localhost:3180"),
    ],
)
def test_tls_or_the_same_machine_need_no_such_name(name: str, url: str) -> None:
    assert read(**{name: url}).without_tls == ()
