"""Every noun of the main job."""

import sqlalchemy as sa
from alembic import op

from crm.store import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("name", types.Words(80), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "holiday",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", types.Words(8), nullable=False),
        sa.Column("name", types.Words(40), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("holiday", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holiday_day"), ["day"], unique=False)

    op.create_table(
        "job_claim",
        sa.Column("name", types.Words(40), nullable=False),
        sa.Column("slot", types.Words(40), nullable=False),
        sa.Column("worker", types.Words(80), nullable=False),
        sa.Column("state", types.Words(12), nullable=False),
        sa.Column("started_at", types.Moment(), nullable=False),
        sa.Column("finished_at", types.Moment(), nullable=True),
        sa.Column("result", types.Json, nullable=True),
        sa.PrimaryKeyConstraint("name", "slot", name=op.f("pk_job_claim")),
    )
    op.create_table(
        "region",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code", types.Words(12), nullable=False),
        sa.Column("name", types.Words(60), nullable=False),
        sa.Column("level", types.Words(12), nullable=False),
        sa.Column("parent_id", types.BigId, nullable=True),
        sa.Column("aliases", types.Json, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["region.id"], name=op.f("fk_region_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("code", name=op.f("uq_region_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_region_parent_id"), ["parent_id"], unique=False)

    op.create_table(
        "throttle",
        sa.Column("key", types.Words(160), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("filled_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_table(
        "carrier",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(40), nullable=True),
        sa.Column("name", types.Words(80), nullable=False),
        sa.Column("aliases", types.Json, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_carrier_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carrier")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("carrier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_carrier_region_id"), ["region_id"], unique=False)

    op.create_table(
        "dictionary_entry",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("dictionary", types.Words(40), nullable=False),
        sa.Column("code", types.Words(40), nullable=False),
        sa.Column("label", types.Words(80), nullable=False),
        sa.Column("aliases", types.Json, nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_dictionary_entry_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dictionary_entry")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dictionary_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dictionary_entry_region_id"), ["region_id"], unique=False)

    op.create_table(
        "enterprise",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("name", types.Words(120), nullable=False),
        sa.Column("credit_code", types.Words(18), nullable=True),
        sa.Column("code_reason", types.Words(200), nullable=True),
        sa.Column("subject_type", types.Words(40), nullable=True),
        sa.Column("industry_code", types.Words(5), nullable=True),
        sa.Column("featured_industry", types.Words(40), nullable=True),
        sa.Column("hightech_field", types.Words(40), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("capital", types.Money(), nullable=True),
        sa.Column("legal_person", types.Words(60), nullable=True),
        sa.Column("contact_name", types.Words(60), nullable=True),
        sa.Column("contact_phone", types.Words(40), nullable=True),
        sa.Column("address", types.Words(200), nullable=True),
        sa.Column("main_product", types.Words(200), nullable=True),
        sa.Column("source", types.Words(40), nullable=True),
        sa.Column("notes", types.Words(2000), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_enterprise_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("enterprise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enterprise_region_id"), ["region_id"], unique=False)
        batch_op.create_index(
            "uq_enterprise_credit_code",
            ["credit_code"],
            unique=True,
            sqlite_where=sa.text("credit_code IS NOT NULL AND NOT deleted"),
            postgresql_where=sa.text("credit_code IS NOT NULL AND NOT deleted"),
        )

    op.create_table(
        "park",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("name", types.Words(80), nullable=False),
        sa.Column("aliases", types.Json, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_park_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_park")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("park", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_park_region_id"), ["region_id"], unique=False)

    op.create_table(
        "setting",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("key", types.Words(60), nullable=False),
        sa.Column("value", types.Json, nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_setting_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_setting")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("setting", schema=None) as batch_op:
        batch_op.create_index(
            "uq_setting_region_id_key",
            ["region_id", "key"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "unit",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("name", types.Words(80), nullable=False),
        sa.Column("aliases", types.Json, nullable=True),
        sa.Column("owns_kinds", types.Json, nullable=True),
        sa.Column("successor_id", types.BigId, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_unit_region_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["unit.id"], name=op.f("fk_unit_successor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_region_id"), ["region_id"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("login", types.Words(40), nullable=False),
        sa.Column("name", types.Words(40), nullable=False),
        sa.Column("email", types.Words(120), nullable=True),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("wants_digest", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_user_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "window",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("batch", types.Words(40), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("enterprise_due_at", types.Moment(), nullable=True),
        sa.Column("county_due_at", types.Moment(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("announced_on", sa.Date(), nullable=True),
        sa.Column("status", types.Words(16), nullable=False),
        sa.Column("source", types.Words(300), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_window_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_window")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("window", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_window_region_id"), ["region_id"], unique=False)

    op.create_table(
        "access_log",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("at", types.Moment(), nullable=False),
        sa.Column("user_id", types.BigId, nullable=True),
        sa.Column("who", types.Words(60), nullable=False),
        sa.Column("what", types.Words(40), nullable=False),
        sa.Column("subject", types.Words(200), nullable=False),
        sa.Column("filter", types.Json, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("request_id", types.Words(40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_access_log_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_log_at"), ["at"], unique=False)

    op.create_table(
        "affiliation",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("ref_id", sa.Integer(), nullable=True),
        sa.Column("value", types.Words(24), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_affiliation_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliation")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("affiliation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_affiliation_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "application",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("window_id", types.BigId, nullable=True),
        sa.Column("stage", types.Words(40), nullable=False),
        sa.Column("stage_on", sa.Date(), nullable=True),
        sa.Column("outcome", types.Words(24), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_application_enterprise_id")),
        sa.ForeignKeyConstraint(["window_id"], ["window.id"], name=op.f("fk_application_window_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "assessment",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("rules", types.Words(24), nullable=False),
        sa.Column("rules_version", types.Words(40), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=False),
        sa.Column("result", types.Words(16), nullable=False),
        sa.Column("report", types.Json, nullable=False),
        sa.Column("rules_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_assessment_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "change_set",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("action", types.Words(60), nullable=False),
        sa.Column("user_id", types.BigId, nullable=True),
        sa.Column("who", types.Words(60), nullable=False),
        sa.Column("door", types.Words(12), nullable=False),
        sa.Column("request_id", types.Words(40), nullable=False),
        sa.Column("request_key", types.Words(60), nullable=True),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", types.Moment(), nullable=False),
        sa.Column("reason", types.Words(500), nullable=False),
        sa.Column("undoes_id", types.BigId, nullable=True),
        sa.Column("import_batch_id", types.BigId, nullable=True),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_change_set_region_id")),
        sa.ForeignKeyConstraint(["undoes_id"], ["change_set.id"], name=op.f("fk_change_set_undoes_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_change_set_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_set")),
        sa.UniqueConstraint("request_key", name=op.f("uq_change_set_request_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("change_set", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_set_import_batch_id"), ["import_batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_set_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_set_undoes_id"), ["undoes_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_set_user_id"), ["user_id"], unique=False)

    op.create_table(
        "credential",
        sa.Column("user_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("password_hash", types.Words(200), nullable=False),
        sa.Column("changed_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_credential_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "enterprise_alias",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(20), nullable=False),
        sa.Column("value", types.Words(120), nullable=False),
        sa.Column("value_key", types.Words(120), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_alias_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_alias")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("enterprise_alias", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enterprise_alias_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enterprise_alias_value_key"), ["value_key"], unique=False)

    op.create_table(
        "figures",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("confirmed", types.Json, nullable=True),
        sa.Column("revenue", types.Money(), nullable=True),
        sa.Column("sales", types.Money(), nullable=True),
        sa.Column("main_revenue", types.Money(), nullable=True),
        sa.Column("main_product_revenue", types.Money(), nullable=True),
        sa.Column("total_income", types.Money(), nullable=True),
        sa.Column("hightech_income", types.Money(), nullable=True),
        sa.Column("cost_expense", types.Money(), nullable=True),
        sa.Column("rd_expense", types.Money(), nullable=True),
        sa.Column("rd_expense_deduction", types.Money(), nullable=True),
        sa.Column("rd_expense_hnte", types.Money(), nullable=True),
        sa.Column("rd_expense_domestic", types.Money(), nullable=True),
        sa.Column("total_assets", types.Money(), nullable=True),
        sa.Column("total_liabilities", types.Money(), nullable=True),
        sa.Column("net_assets", types.Money(), nullable=True),
        sa.Column("net_profit", types.Money(), nullable=True),
        sa.Column("tax_paid", types.Money(), nullable=True),
        sa.Column("equity_financing", types.Money(), nullable=True),
        sa.Column("export_revenue", types.Money(), nullable=True),
        sa.Column("staff_count", sa.Integer(), nullable=True),
        sa.Column("sci_staff_sme", sa.Integer(), nullable=True),
        sa.Column("sci_staff_hnte", sa.Integer(), nullable=True),
        sa.Column("rd_staff_count", sa.Integer(), nullable=True),
        sa.Column("insured_count", sa.Integer(), nullable=True),
        sa.Column("conversions", sa.Integer(), nullable=True),
        sa.Column("market_share", types.Exact(), nullable=True),
        sa.Column("platform_score", types.Exact(), nullable=True),
        sa.Column("niche_years", sa.Integer(), nullable=True),
        sa.Column("digital_level", sa.Integer(), nullable=True),
        sa.Column("had_major_accident", sa.Boolean(), nullable=True),
        sa.Column("had_env_violation", sa.Boolean(), nullable=True),
        sa.Column("had_research_misconduct", sa.Boolean(), nullable=True),
        sa.Column("was_blacklisted", sa.Boolean(), nullable=True),
        sa.Column("restricted_products", sa.Boolean(), nullable=True),
        sa.Column("own_accounts", sa.Boolean(), nullable=True),
        sa.Column("national_award_top3", sa.Boolean(), nullable=True),
        sa.Column("ministry_rd_institution", sa.Boolean(), nullable=True),
        sa.Column("led_standard", sa.Boolean(), nullable=True),
        sa.Column("provincial_award", sa.Boolean(), nullable=True),
        sa.Column("joined_standard", sa.Boolean(), nullable=True),
        sa.Column("rd_institution_level", types.Words(40), nullable=True),
        sa.Column("sme_industry", types.Words(40), nullable=True),
        sa.Column("core_ip_supports_product", sa.Boolean(), nullable=True),
        sa.Column("in_hightech_field", sa.Boolean(), nullable=True),
        sa.Column("in_strategic_industry", sa.Boolean(), nullable=True),
        sa.Column("innovation_score", sa.Integer(), nullable=True),
        sa.Column("source_note", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_figures_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("figures", schema=None) as batch_op:
        batch_op.create_index(
            "uq_figures_enterprise_id_year",
            ["enterprise_id", "year"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "grant",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("role", types.Words(20), nullable=False),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("park_id", types.BigId, nullable=True),
        sa.Column("carrier_id", types.BigId, nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name=op.f("fk_grant_carrier_id")),
        sa.ForeignKeyConstraint(["park_id"], ["park.id"], name=op.f("fk_grant_park_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_grant_region_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_grant_unit_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_grant_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grant_user_id"), ["user_id"], unique=False)

    op.create_table(
        "intellectual_property",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("name", types.Words(200), nullable=True),
        sa.Column("ip_class", types.Words(40), nullable=True),
        sa.Column("kind", types.Words(40), nullable=True),
        sa.Column("number", types.Words(60), nullable=True),
        sa.Column("granted_on", sa.Date(), nullable=True),
        sa.Column("obtained", types.Words(40), nullable=True),
        sa.Column("transferred_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("supports_main_product", sa.Boolean(), nullable=True),
        sa.Column("disputed", sa.Boolean(), nullable=True),
        sa.Column("high_value_reason", types.Words(40), nullable=True),
        sa.Column("used_in_year", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_intellectual_property_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intellectual_property")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("intellectual_property", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intellectual_property_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(40), nullable=False),
        sa.Column("payload", types.Json, nullable=False),
        sa.Column("state", types.Words(12), nullable=False),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("user_id", types.BigId, nullable=True),
        sa.Column("worker", types.Words(80), nullable=True),
        sa.Column("lease_until", types.Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("result", types.Json, nullable=True),
        sa.Column("error", types.Words(500), nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("started_at", types.Moment(), nullable=True),
        sa.Column("finished_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_job_region_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_job_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_state", ["state", "lease_until"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("channel", types.Words(12), nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("period", types.Words(40), nullable=False),
        sa.Column("recipient", types.Words(160), nullable=False),
        sa.Column("subject", types.Words(300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("headers", types.Json, nullable=True),
        sa.Column("message_id", types.Words(200), nullable=False),
        sa.Column("state", types.Words(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", types.Words(80), nullable=True),
        sa.Column("error", types.Words(500), nullable=True),
        sa.Column("queued_at", types.Moment(), nullable=False),
        sa.Column("not_before", types.Moment(), nullable=True),
        sa.Column("sent_at", types.Moment(), nullable=True),
        sa.Column("state_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_message_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_message_message_id")),
        sa.UniqueConstraint("user_id", "channel", "kind", "period", name="uq_message_once"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_state"), ["state"], unique=False)

    op.create_table(
        "obligation",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("period", types.Words(40), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("state", types.Words(12), nullable=False),
        sa.Column("reason", types.Words(400), nullable=False),
        sa.Column("steps", types.Json, nullable=True),
        sa.Column("expected", sa.Boolean(), nullable=False),
        sa.Column("source_id", types.BigId, nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_obligation_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
    )
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.create_index("ix_obligation_due", ["state", "due_at", "kind", "enterprise_id", "owner_id"], unique=False)
        batch_op.create_index("uq_obligation", ["enterprise_id", "kind", "period"], unique=True)

    op.create_table(
        "pool_membership",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column("pool_class", types.Words(40), nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("meeting", types.Words(120), nullable=True),
        sa.Column("document", types.Words(120), nullable=True),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("leave_reason", types.Words(200), nullable=True),
        sa.Column("planned_year", sa.SmallInteger(), nullable=True),
        sa.Column("planned_batch", types.Words(40), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_pool_membership_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_membership")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("pool_membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pool_membership_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "qualification",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(40), nullable=False),
        sa.Column("recorded_at", types.Moment(), nullable=False),
        sa.Column("superseded_at", types.Moment(), nullable=True),
        sa.Column("superseded_by_id", types.BigId, nullable=True),
        sa.Column("number", types.Words(40), nullable=True),
        sa.Column("batch", types.Words(60), nullable=True),
        sa.Column("document", types.Words(200), nullable=True),
        sa.Column("publicity_on", sa.Date(), nullable=True),
        sa.Column("announced_on", sa.Date(), nullable=True),
        sa.Column("cohort_year", sa.SmallInteger(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", types.Words(40), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_qualification_enterprise_id")),
        sa.ForeignKeyConstraint(
            ["superseded_by_id"], ["qualification.id"], name=op.f("fk_qualification_superseded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_qualification")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("qualification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_qualification_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "search_text",
        sa.Column("enterprise_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("name_key", types.Words(120), nullable=False),
        sa.Column("haystack", types.Words(8000), nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_search_text_enterprise_id")),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_search_text")),
    )
    with op.batch_alter_table("search_text", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_search_text_name_key"), ["name_key"], unique=False)

    op.create_table(
        "service_log",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("author_id", types.BigId, nullable=True),
        sa.Column("imported", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=True),
        sa.Column("kind", types.Words(40), nullable=True),
        sa.Column("text", types.Words(4000), nullable=True),
        sa.Column("author_name", types.Words(60), nullable=True),
        sa.Column("next_step", types.Words(300), nullable=True),
        sa.Column("next_step_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_service_log_author_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_service_log_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_log")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("service_log", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_log_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_log_region_id"), ["region_id"], unique=False)

    op.create_table(
        "spell",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("end_reason", types.Words(24), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_spell_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spell")),
    )
    with op.batch_alter_table("spell", schema=None) as batch_op:
        batch_op.create_index("ix_spell_enterprise", ["enterprise_id"], unique=False)
        batch_op.create_index("ix_spell_kind", ["kind", "starts_on"], unique=False)

    op.create_table(
        "standing",
        sa.Column("enterprise_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("name_sort", types.Words(700), nullable=False),
        sa.Column("township_id", sa.Integer(), nullable=True),
        sa.Column("park_id", sa.Integer(), nullable=True),
        sa.Column("carrier_id", sa.Integer(), nullable=True),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("status", types.Words(24), nullable=True),
        sa.Column("above_scale", sa.Boolean(), nullable=True),
        sa.Column("abnormal", sa.Boolean(), nullable=True),
        sa.Column("featured_industry", types.Words(40), nullable=True),
        sa.Column("hightech_field", types.Words(40), nullable=True),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("rung_since", sa.Date(), nullable=True),
        sa.Column("cq_tech", types.Words(20), nullable=True),
        sa.Column("tech_sme", types.Words(20), nullable=True),
        sa.Column("innovative_sme", types.Words(20), nullable=True),
        sa.Column("tech_innovative_sme", types.Words(20), nullable=True),
        sa.Column("hnte", types.Words(20), nullable=True),
        sa.Column("srdi", types.Words(20), nullable=True),
        sa.Column("little_giant", types.Words(20), nullable=True),
        sa.Column("pool", types.Words(20), nullable=True),
        sa.Column("next_expiry_on", sa.Date(), nullable=True),
        sa.Column("next_expiry_kind", types.Words(24), nullable=True),
        sa.Column("next_due_at", types.Moment(), nullable=True),
        sa.Column("next_due_kind", types.Words(24), nullable=True),
        sa.Column("last_contact_on", sa.Date(), nullable=True),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.Column("changes_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_standing_enterprise_id")),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_standing")),
    )
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.create_index("ix_standing_changes_on", ["changes_on"], unique=False)
        batch_op.create_index(
            "ix_standing_board",
            ["region_id", "rung", "cq_tech", "tech_sme", "innovative_sme", "tech_innovative_sme", "hnte", "srdi", "little_giant", "pool"],
            unique=False,
        )
        batch_op.create_index("ix_standing_due", ["region_id", "next_due_at", "name_sort"], unique=False)
        batch_op.create_index("ix_standing_rung_due", ["region_id", "rung", "next_due_at", "name_sort"], unique=False)
        for kind in ("innovative_sme", "tech_innovative_sme", "hnte", "srdi", "little_giant", "pool"):
            had = sa.text(f"{kind} IS NOT NULL")
            batch_op.create_index(
                f"ix_standing_{kind}", ["region_id", kind], unique=False, sqlite_where=had, postgresql_where=had
            )
        batch_op.create_index("ix_standing_manager", ["manager_id", "rung"], unique=False)
        batch_op.create_index("ix_standing_region_name", ["region_id", "name_sort"], unique=False)
        batch_op.create_index("ix_standing_region_rung", ["region_id", "rung", "name_sort"], unique=False)
        batch_op.create_index("ix_standing_township", ["township_id", "rung"], unique=False)

    op.create_table(
        "stored_file",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("sha256", types.Words(64), nullable=False),
        sa.Column("name", types.Words(200), nullable=False),
        sa.Column("size", types.BigId, nullable=False),
        sa.Column("media_type", types.Words(100), nullable=False),
        sa.Column("purpose", types.Words(24), nullable=False),
        sa.Column("region_id", types.BigId, nullable=True),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_stored_file_enterprise_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_stored_file_owner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_stored_file_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_file")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stored_file_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stored_file_sha256"), ["sha256"], unique=False)

    op.create_table(
        "user_session",
        sa.Column("key_hash", types.Words(64), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=False),
        sa.Column("agent", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_user_session")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "change",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("change_set_id", types.BigId, nullable=False),
        sa.Column("noun", types.Words(30), nullable=False),
        sa.Column("record_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("op", types.Words(8), nullable=False),
        sa.Column("fields", types.Json, nullable=False),
        sa.Column("record_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["change_set_id"], ["change_set.id"], name=op.f("fk_change_change_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_change_set_id"), ["change_set_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index("ix_change_noun_record_id", ["noun", "record_id", "id"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=True),
        sa.Column("who", types.Words(60), nullable=False),
        sa.Column("stored_file_id", types.BigId, nullable=True),
        sa.Column("file_name", types.Words(200), nullable=False),
        sa.Column("profile", types.Words(40), nullable=True),
        sa.Column("full_list", sa.Boolean(), nullable=False),
        sa.Column("good_rows_only", sa.Boolean(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("state", types.Words(16), nullable=False),
        sa.Column("message", types.Words(500), nullable=True),
        sa.Column("summary", types.Json, nullable=True),
        sa.Column("job_id", types.BigId, nullable=True),
        sa.Column("change_set_id", types.BigId, nullable=True),
        sa.Column("undone_by_id", types.BigId, nullable=True),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("finished_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["change_set_id"], ["change_set.id"], name=op.f("fk_import_batch_change_set_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_import_batch_region_id")),
        sa.ForeignKeyConstraint(["stored_file_id"], ["stored_file.id"], name=op.f("fk_import_batch_stored_file_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["change_set.id"], name=op.f("fk_import_batch_undone_by_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_import_batch_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_batch_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_batch_user_id"), ["user_id"], unique=False)

    op.create_table(
        "obligation_outcome",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("period", types.Words(40), nullable=False),
        sa.Column("outcome", types.Words(12), nullable=False),
        sa.Column("outcome_on", sa.Date(), nullable=False),
        sa.Column("postponed_to", sa.Date(), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.Column("stored_file_id", types.BigId, nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_obligation_outcome_enterprise_id")),
        sa.ForeignKeyConstraint(
            ["stored_file_id"], ["stored_file.id"], name=op.f("fk_obligation_outcome_stored_file_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation_outcome")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("obligation_outcome", schema=None) as batch_op:
        batch_op.create_index(
            "uq_obligation_outcome",
            ["enterprise_id", "kind", "period"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "service_log_enterprise",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("service_log_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_service_log_enterprise_enterprise_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_log_id"], ["service_log.id"], name=op.f("fk_service_log_enterprise_service_log_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_log_enterprise")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("service_log_enterprise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_log_enterprise_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_service_log_enterprise_service_log_id"), ["service_log_id"], unique=False)

    op.create_table(
        "import_row",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("batch_id", types.BigId, nullable=False),
        sa.Column("sheet", types.Words(100), nullable=False),
        sa.Column("noun", types.Words(30), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("outcome", types.Words(12), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("name", types.Words(200), nullable=True),
        sa.Column("matched_by", types.Words(24), nullable=True),
        sa.Column("diff", types.Json, nullable=True),
        sa.Column("problems", types.Json, nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.create_index("ix_import_row_batch", ["batch_id", "outcome", "id"], unique=False)
    # An expression index, which autogenerate does not see.
    op.create_index("uq_user_login", "user", [sa.text("lower(login)")], unique=True)

    if op.get_bind().dialect.name == "sqlite":
        _tell_the_planner()


# (table, index, rows and how many of them share each further column), as sqlite_stat1 keeps it.
STATISTICS = (
    ("standing", "ix_standing_township", "100000 3125 1042"),
    ("standing", "ix_standing_manager", "100000 3847 2041"),
    ("standing", "ix_standing_region_rung", "100000 100000 33334 1"),
    ("standing", "ix_standing_region_name", "100000 100000 1"),
    ("standing", "ix_standing_rung_due", "100000 100000 33334 4762 1"),
    ("standing", "ix_standing_due", "100000 100000 8334 1"),
    ("standing", "ix_standing_board", "100000 100000 33334 33334 16667 16667 16667 10000 10000 10000 10000"),
    ("standing", "ix_standing_changes_on", "100000 1613"),
    ("standing", "ix_standing_innovative_sme", "3000 3000 1000"),
    ("standing", "ix_standing_tech_innovative_sme", "1000 1000 500"),
    ("standing", "ix_standing_hnte", "4000 4000 1334"),
    ("standing", "ix_standing_srdi", "2000 2000 667"),
    ("standing", "ix_standing_little_giant", "200 200 100"),
    ("standing", "ix_standing_pool", "3000 3000 1500"),
    ("search_text", "ix_search_text_name_key", "100000 1"),
    ("obligation", "uq_obligation", "41666 2 1 1"),
    ("obligation", "ix_obligation_due", "41666 8334 3206 3206 1 1"),
    ("enterprise", "uq_enterprise_credit_code", "100000 1"),
    ("enterprise", "ix_enterprise_region_id", "100000 100000"),
    ("qualification", "ix_qualification_enterprise_id", "89000 2"),
    ("affiliation", "ix_affiliation_enterprise_id", "266666 3"),
    ("service_log_enterprise", "ix_service_log_enterprise_service_log_id", "40000 1"),
    ("service_log_enterprise", "ix_service_log_enterprise_enterprise_id", "40000 1"),
    ("change", "ix_change_noun_record_id", "735881 49059 1 1"),
    ("change", "ix_change_enterprise_id", "735881 8"),
    ("change", "ix_change_change_set_id", "735881 33450"),
)


def _tell_the_planner() -> None:
    """Statistics of a large library from the first day: SQLite gathers none by itself, and without them it takes the
    index of the region, which every row shares, where the one of a rare title would do. PostgreSQL gathers its own.
    """
    op.execute("ANALYZE")
    op.execute("DELETE FROM sqlite_stat1")
    for table, index, shape in STATISTICS:
        op.execute(sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:t, :i, :s)").bindparams(t=table, i=index, s=shape))


def downgrade() -> None:
    op.drop_index("uq_user_login", table_name="user")
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.drop_index("ix_import_row_batch")

    op.drop_table("import_row")
    with op.batch_alter_table("service_log_enterprise", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_log_enterprise_service_log_id"))
        batch_op.drop_index(batch_op.f("ix_service_log_enterprise_enterprise_id"))

    op.drop_table("service_log_enterprise")
    with op.batch_alter_table("obligation_outcome", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_obligation_outcome", sqlite_where=sa.text("NOT deleted"), postgresql_where=sa.text("NOT deleted")
        )

    op.drop_table("obligation_outcome")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_batch_user_id"))
        batch_op.drop_index(batch_op.f("ix_import_batch_region_id"))

    op.drop_table("import_batch")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index("ix_change_noun_record_id")
        batch_op.drop_index(batch_op.f("ix_change_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_change_change_set_id"))

    op.drop_table("change")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_session_user_id"))

    op.drop_table("user_session")
    with op.batch_alter_table("stored_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stored_file_sha256"))
        batch_op.drop_index(batch_op.f("ix_stored_file_region_id"))
        batch_op.drop_index(batch_op.f("ix_stored_file_owner_id"))
        batch_op.drop_index(batch_op.f("ix_stored_file_enterprise_id"))

    op.drop_table("stored_file")
    with op.batch_alter_table("standing", schema=None) as batch_op:
        for kind in ("pool", "little_giant", "srdi", "hnte", "tech_innovative_sme", "innovative_sme"):
            batch_op.drop_index(f"ix_standing_{kind}")
        batch_op.drop_index("ix_standing_rung_due")
        batch_op.drop_index("ix_standing_due")
        batch_op.drop_index("ix_standing_board")
        batch_op.drop_index("ix_standing_township")
        batch_op.drop_index("ix_standing_region_rung")
        batch_op.drop_index("ix_standing_region_name")
        batch_op.drop_index("ix_standing_manager")
        batch_op.drop_index("ix_standing_changes_on")

    op.drop_table("standing")
    with op.batch_alter_table("spell", schema=None) as batch_op:
        batch_op.drop_index("ix_spell_kind")
        batch_op.drop_index("ix_spell_enterprise")

    op.drop_table("spell")
    with op.batch_alter_table("service_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_log_region_id"))
        batch_op.drop_index(batch_op.f("ix_service_log_author_id"))

    op.drop_table("service_log")
    with op.batch_alter_table("search_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_search_text_name_key"))

    op.drop_table("search_text")
    with op.batch_alter_table("qualification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_qualification_enterprise_id"))

    op.drop_table("qualification")
    with op.batch_alter_table("pool_membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pool_membership_enterprise_id"))

    op.drop_table("pool_membership")
    with op.batch_alter_table("obligation", schema=None) as batch_op:
        batch_op.drop_index("uq_obligation")
        batch_op.drop_index("ix_obligation_due")

    op.drop_table("obligation")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_state"))

    op.drop_table("message")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_state")

    op.drop_table("job")
    with op.batch_alter_table("intellectual_property", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intellectual_property_enterprise_id"))

    op.drop_table("intellectual_property")
    with op.batch_alter_table("grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grant_user_id"))

    op.drop_table("grant")
    with op.batch_alter_table("figures", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_figures_enterprise_id_year",
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.drop_table("figures")
    with op.batch_alter_table("enterprise_alias", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enterprise_alias_value_key"))
        batch_op.drop_index(batch_op.f("ix_enterprise_alias_enterprise_id"))

    op.drop_table("enterprise_alias")
    op.drop_table("credential")
    with op.batch_alter_table("change_set", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_set_user_id"))
        batch_op.drop_index(batch_op.f("ix_change_set_undoes_id"))
        batch_op.drop_index(batch_op.f("ix_change_set_region_id"))
        batch_op.drop_index(batch_op.f("ix_change_set_import_batch_id"))

    op.drop_table("change_set")
    with op.batch_alter_table("assessment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assessment_enterprise_id"))

    op.drop_table("assessment")
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_enterprise_id"))

    op.drop_table("application")
    with op.batch_alter_table("affiliation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliation_enterprise_id"))

    op.drop_table("affiliation")
    with op.batch_alter_table("access_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_log_at"))

    op.drop_table("access_log")
    with op.batch_alter_table("window", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_window_region_id"))

    op.drop_table("window")
    op.drop_table("user")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_region_id"))

    op.drop_table("unit")
    with op.batch_alter_table("setting", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_setting_region_id_key", sqlite_where=sa.text("NOT deleted"), postgresql_where=sa.text("NOT deleted")
        )

    op.drop_table("setting")
    with op.batch_alter_table("park", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_park_region_id"))

    op.drop_table("park")
    with op.batch_alter_table("enterprise", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_enterprise_credit_code",
            sqlite_where=sa.text("credit_code IS NOT NULL AND NOT deleted"),
            postgresql_where=sa.text("credit_code IS NOT NULL AND NOT deleted"),
        )
        batch_op.drop_index(batch_op.f("ix_enterprise_region_id"))

    op.drop_table("enterprise")
    with op.batch_alter_table("dictionary_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dictionary_entry_region_id"))

    op.drop_table("dictionary_entry")
    with op.batch_alter_table("carrier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_carrier_region_id"))

    op.drop_table("carrier")
    op.drop_table("throttle")
    with op.batch_alter_table("region", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_region_parent_id"))

    op.drop_table("region")
    op.drop_table("job_claim")
    with op.batch_alter_table("holiday", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_holiday_day"))

    op.drop_table("holiday")
    op.drop_table("heartbeat")
