"""Daily work: attachments, comments, plans, requests, collections, selections, reviews, submissions, second factors."""

import sqlalchemy as sa
from alembic import op

from crm.store import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


# (table, new column, what it points at, whether lists ask by it)
POINTERS = (
    ("enterprise", "merged_into_id", "enterprise", True),
    ("import_batch", "collection_id", "collection", True),
    ("obligation_outcome", "assignee_id", "user", True),
    ("pool_membership", "selection_id", "pool_selection", True),
    ("service_log", "step_owner_id", "user", True),
    ("user", "supervisor_id", "user", False),
)

# What SQLite forgets of a table that is written anew (see 0001): the shape of a large library.
STATISTICS = (
    ("enterprise", "uq_enterprise_credit_code", "100000 1"),
    ("enterprise", "ix_enterprise_region_id", "100000 100000"),
)


def upgrade() -> None:
    op.create_table(
        "pool_selection",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("title", types.Words(120), nullable=False),
        sa.Column("query", types.Words(1000), nullable=True),
        sa.Column("filter_words", types.Json, nullable=True),
        sa.Column("proposed_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("meeting", types.Words(120), nullable=True),
        sa.Column("document", types.Words(120), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_pool_selection_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_selection")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("pool_selection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pool_selection_region_id"), ["region_id"], unique=False)

    op.create_table(
        "absence",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("deputy_id", types.BigId, nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("reason", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(["deputy_id"], ["user.id"], name=op.f("fk_absence_deputy_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_absence_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_deputy_id"), ["deputy_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_absence_user_id"), ["user_id"], unique=False)

    op.create_table(
        "collection",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("owner_id", types.BigId, nullable=True),
        sa.Column("title", types.Words(120), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("kinds", types.Json, nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_collection_owner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_collection_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_collection_region_id"), ["region_id"], unique=False)

    op.create_table(
        "comment",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("noun", types.Words(30), nullable=False),
        sa.Column("record_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("author_id", types.BigId, nullable=True),
        sa.Column("author_name", types.Words(60), nullable=False),
        sa.Column("written_at", types.Moment(), nullable=False),
        sa.Column("text", types.Words(2000), nullable=False),
        sa.Column("mentions", types.Json, nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_comment_author_id")),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_comment_enterprise_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_comment_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_comment_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_comment_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index("ix_comment_noun_record_id", ["noun", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_comment_region_id"), ["region_id"], unique=False)

    op.create_table(
        "confirmation",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("answer", types.Words(16), nullable=False),
        sa.Column("note", types.Words(300), nullable=True),
        sa.Column("user_id", types.BigId, nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("checked_by_id", types.BigId, nullable=True),
        sa.Column("checked_note", types.Words(300), nullable=True),
        sa.ForeignKeyConstraint(["checked_by_id"], ["user.id"], name=op.f("fk_confirmation_checked_by_id")),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_confirmation_enterprise_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_confirmation_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmation_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_confirmation_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_confirmation_enterprise_id_month",
            ["enterprise_id", "month"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "notice",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("noun", types.Words(30), nullable=False),
        sa.Column("record_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("text", types.Words(300), nullable=False),
        sa.Column("by_name", types.Words(60), nullable=False),
        sa.Column("comment_id", types.BigId, nullable=True),
        sa.Column("made_at", types.Moment(), nullable=False),
        sa.Column("seen_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notice_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index("ix_notice_user_id_seen_at", ["user_id", "seen_at"], unique=False)

    op.create_table(
        "password_reset",
        sa.Column("key_hash", types.Words(64), nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("made_at", types.Moment(), nullable=False),
        sa.Column("expires_at", types.Moment(), nullable=False),
        sa.Column("used_at", types.Moment(), nullable=True),
        sa.Column("made_by_id", types.BigId, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_password_reset_user_id")),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_password_reset")),
    )
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_password_reset_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("code_hash", types.Words(200), nullable=False),
        sa.Column("used_at", types.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "relation",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("other_id", types.BigId, nullable=True),
        sa.Column("other_name", types.Words(120), nullable=True),
        sa.Column("other_code", types.Words(18), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_relation_enterprise_id")),
        sa.ForeignKeyConstraint(["other_id"], ["enterprise.id"], name=op.f("fk_relation_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("relation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_relation_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_relation_other_id"), ["other_id"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("owner_id", types.BigId, nullable=False),
        sa.Column("page", types.Words(24), nullable=False),
        sa.Column("name", types.Words(40), nullable=False),
        sa.Column("query", types.Words(1000), nullable=False),
        sa.Column("shared", types.Words(8), server_default="private", nullable=False),
        sa.Column("role", types.Words(20), nullable=True),
        sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name=op.f("fk_saved_view_owner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_saved_view_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_view_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_view_region_id"), ["region_id"], unique=False)

    op.create_table(
        "second_factor",
        sa.Column("user_id", types.BigId, autoincrement=False, nullable=False),
        sa.Column("secret", types.Words(300), nullable=False),
        sa.Column("made_at", types.Moment(), nullable=False),
        sa.Column("confirmed_at", types.Moment(), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "submission",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("window_id", types.BigId, nullable=True),
        sa.Column("kind", types.Words(24), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("batch", types.Words(40), nullable=True),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("changes_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("signed_by", types.Words(60), nullable=True),
        sa.Column("receipt", types.Words(120), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_submission_region_id")),
        sa.ForeignKeyConstraint(["window_id"], ["window.id"], name=op.f("fk_submission_window_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_window_id"), ["window_id"], unique=False)

    op.create_table(
        "visit_plan",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("user_id", types.BigId, nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("quarter", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_visit_plan_region_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_visit_plan_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_plan")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("visit_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_plan_region_id"), ["region_id"], unique=False)
        batch_op.create_index(
            "uq_visit_plan_of_a_quarter",
            ["user_id", "region_id", "year", "quarter"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "application_material",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("application_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("item", types.Words(40), nullable=False),
        sa.Column("state", types.Words(12), nullable=False),
        sa.Column("stored_file_id", types.BigId, nullable=True),
        sa.Column("from_material_id", types.BigId, nullable=True),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("waived_reason", types.Words(300), nullable=True),
        sa.Column("note", types.Words(300), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_material_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_application_material_enterprise_id")
        ),
        sa.ForeignKeyConstraint(
            ["from_material_id"], ["application_material.id"], name=op.f("fk_application_material_from_material_id")
        ),
        sa.ForeignKeyConstraint(
            ["stored_file_id"], ["stored_file.id"], name=op.f("fk_application_material_stored_file_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_material")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("application_material", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_material_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_material_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(
            "uq_application_material_item",
            ["application_id", "item"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "application_objection",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("application_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("raised_by", types.Words(120), nullable=True),
        sa.Column("text", types.Words(2000), nullable=False),
        sa.Column("record", types.Words(2000), nullable=True),
        sa.Column("upheld", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_objection_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_application_objection_enterprise_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_objection")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("application_objection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_objection_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_objection_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "application_review",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("application_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("received_at", types.Moment(), nullable=True),
        sa.Column("late_reason", types.Words(300), nullable=True),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("reviewer_id", types.BigId, nullable=True),
        sa.Column("reviewer_name", types.Words(60), nullable=True),
        sa.Column("checklist", types.Json, nullable=True),
        sa.Column("result", types.Words(16), nullable=True),
        sa.Column("opinion", types.Words(1000), nullable=True),
        sa.Column("missing", types.Json, nullable=True),
        sa.Column("notified_on", sa.Date(), nullable=True),
        sa.Column("mend_by", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_review_application_id")
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_application_review_enterprise_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user.id"], name=op.f("fk_application_review_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_review")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("application_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_review_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_review_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "application_step",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("application_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("from_stage", types.Words(24), nullable=True),
        sa.Column("to_stage", types.Words(24), nullable=False),
        sa.Column("kind", types.Words(16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("reason", types.Words(500), nullable=True),
        sa.Column("who", types.Words(60), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_step_application_id")
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_application_step_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_step")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("application_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_step_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_step_enterprise_id"), ["enterprise_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("stored_file_id", types.BigId, nullable=False),
        sa.Column("noun", types.Words(30), nullable=False),
        sa.Column("record_id", types.BigId, nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=True),
        sa.Column("title", types.Words(200), nullable=True),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("note", types.Words(500), nullable=True),
        sa.Column("confidential", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_attachment_enterprise_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_attachment_region_id")),
        sa.ForeignKeyConstraint(["stored_file_id"], ["stored_file.id"], name=op.f("fk_attachment_stored_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index("ix_attachment_noun_record_id", ["noun", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_stored_file_id"), ["stored_file_id"], unique=False)

    op.create_table(
        "request",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("region_id", types.BigId, nullable=False),
        sa.Column("service_log_id", types.BigId, nullable=True),
        sa.Column("author_id", types.BigId, nullable=True),
        sa.Column("author_name", types.Words(60), nullable=True),
        sa.Column("raised_on", sa.Date(), nullable=False),
        sa.Column("category", types.Words(24), nullable=False),
        sa.Column("text", types.Words(2000), nullable=False),
        sa.Column("platform_number", types.Words(60), nullable=True),
        sa.Column("transferred_on", sa.Date(), nullable=True),
        sa.Column("unit_id", types.BigId, nullable=True),
        sa.Column("dispatched_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reply", types.Words(2000), nullable=True),
        sa.Column("replied_on", sa.Date(), nullable=True),
        sa.Column("replied_by", types.Words(60), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("rating_note", types.Words(500), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", types.Words(300), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_request_author_id")),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_request_enterprise_id")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_request_region_id")),
        sa.ForeignKeyConstraint(["service_log_id"], ["service_log.id"], name=op.f("fk_request_service_log_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_request_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_region_id"), ["region_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_service_log_id"), ["service_log_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_request_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "submission_application",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("submission_id", types.BigId, nullable=False),
        sa.Column("application_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=True),
        sa.Column("name", types.Words(200), nullable=True),
        sa.Column("credit_code", types.Words(24), nullable=True),
        sa.Column("change", types.Words(12), nullable=True),
        sa.Column("result", types.Words(16), nullable=True),
        sa.Column("result_on", sa.Date(), nullable=True),
        sa.Column("result_reason", types.Words(500), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_submission_application_application_id")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_submission_application_enterprise_id")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_submission_application_submission_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_application")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("submission_application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_application_application_id"), ["application_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_application_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_application_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "submission_file",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("submission_id", types.BigId, nullable=False),
        sa.Column("stored_file_id", types.BigId, nullable=False),
        sa.Column("title", types.Words(120), nullable=False),
        sa.ForeignKeyConstraint(["stored_file_id"], ["stored_file.id"], name=op.f("fk_submission_file_stored_file_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_submission_file_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_file")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("submission_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_file_stored_file_id"), ["stored_file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_file_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "visit_plan_enterprise",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("visit_plan_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("purpose", types.Words(200), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_visit_plan_enterprise_enterprise_id")
        ),
        sa.ForeignKeyConstraint(
            ["visit_plan_id"], ["visit_plan.id"], name=op.f("fk_visit_plan_enterprise_visit_plan_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_plan_enterprise")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("visit_plan_enterprise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_plan_enterprise_enterprise_id"), ["enterprise_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_plan_enterprise_visit_plan_id"), ["visit_plan_id"], unique=False)
        batch_op.create_index(
            "uq_visit_plan_enterprise",
            ["visit_plan_id", "enterprise_id"],
            unique=True,
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )

    op.create_table(
        "collection_enterprise",
        sa.Column("id", types.BigId, nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deleted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("collection_id", types.BigId, nullable=False),
        sa.Column("enterprise_id", types.BigId, nullable=False),
        sa.Column("questions", types.Json, nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("returned_how", types.Words(24), nullable=True),
        sa.Column("import_batch_id", types.BigId, nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("excused_reason", types.Words(200), nullable=True),
        sa.Column("authorised_by", types.Words(60), nullable=True),
        sa.Column("authorised_on", sa.Date(), nullable=True),
        sa.Column("answers", types.Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collection.id"], name=op.f("fk_collection_enterprise_collection_id")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_collection_enterprise_enterprise_id")
        ),
        sa.ForeignKeyConstraint(
            ["import_batch_id"], ["import_batch.id"], name=op.f("fk_collection_enterprise_import_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_enterprise")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("collection_enterprise", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collection_enterprise_collection_id"), ["collection_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_collection_enterprise_enterprise_id"), ["enterprise_id"], unique=False)

    op.add_column("application", sa.Column("stage_code", types.Words(24), nullable=True))
    op.add_column("application", sa.Column("stage_due_on", sa.Date(), nullable=True))
    op.add_column("import_row", sa.Column("candidates", types.Json, nullable=True))
    op.add_column("pool_membership", sa.Column("declined_on", sa.Date(), nullable=True))
    op.add_column("pool_membership", sa.Column("declined_reason", types.Words(200), nullable=True))
    op.add_column("pool_membership", sa.Column("reason", types.Words(200), nullable=True))
    op.add_column("user_session", sa.Column("proved_at", types.Moment(), nullable=True))
    # SQLite writes these tables anew for a named reference; the index over an expression would be left behind.
    op.drop_index("uq_user_login", table_name="user")
    for table, column, target, indexed in POINTERS:
        with op.batch_alter_table(table, schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            batch_op.add_column(sa.Column(column, types.BigId, nullable=True))
            batch_op.create_foreign_key(f"fk_{table}_{column}", target, [column], ["id"])
            if indexed:
                batch_op.create_index(f"ix_{table}_{column}", [column], unique=False)
    op.create_index("uq_user_login", "user", [sa.text("lower(login)")], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        for table, index, shape in STATISTICS:
            told = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:t, :i, :s)"
            op.execute(sa.text(told).bindparams(t=table, i=index, s=shape))


def downgrade() -> None:
    op.drop_index("uq_user_login", table_name="user")
    for table, column, _, indexed in reversed(POINTERS):
        with op.batch_alter_table(table, schema=None, table_kwargs={"sqlite_autoincrement": True}) as batch_op:
            if indexed:
                batch_op.drop_index(f"ix_{table}_{column}")
            batch_op.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
            batch_op.drop_column(column)
    op.create_index("uq_user_login", "user", [sa.text("lower(login)")], unique=True)
    op.drop_column("user_session", "proved_at")
    op.drop_column("pool_membership", "reason")
    op.drop_column("pool_membership", "declined_reason")
    op.drop_column("pool_membership", "declined_on")
    op.drop_column("import_row", "candidates")
    op.drop_column("application", "stage_due_on")
    op.drop_column("application", "stage_code")

    with op.batch_alter_table("collection_enterprise", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_enterprise_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_collection_enterprise_collection_id"))

    op.drop_table("collection_enterprise")
    with op.batch_alter_table("visit_plan_enterprise", schema=None) as batch_op:
        batch_op.drop_index("uq_visit_plan_enterprise")
        batch_op.drop_index(batch_op.f("ix_visit_plan_enterprise_visit_plan_id"))
        batch_op.drop_index(batch_op.f("ix_visit_plan_enterprise_enterprise_id"))

    op.drop_table("visit_plan_enterprise")
    with op.batch_alter_table("submission_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_file_submission_id"))
        batch_op.drop_index(batch_op.f("ix_submission_file_stored_file_id"))

    op.drop_table("submission_file")
    with op.batch_alter_table("submission_application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_application_submission_id"))
        batch_op.drop_index(batch_op.f("ix_submission_application_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_submission_application_application_id"))

    op.drop_table("submission_application")
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_unit_id"))
        batch_op.drop_index(batch_op.f("ix_request_service_log_id"))
        batch_op.drop_index(batch_op.f("ix_request_region_id"))
        batch_op.drop_index(batch_op.f("ix_request_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_request_author_id"))

    op.drop_table("request")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_stored_file_id"))
        batch_op.drop_index(batch_op.f("ix_attachment_region_id"))
        batch_op.drop_index("ix_attachment_noun_record_id")
        batch_op.drop_index(batch_op.f("ix_attachment_enterprise_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("application_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_step_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_application_step_application_id"))

    op.drop_table("application_step")
    with op.batch_alter_table("application_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_review_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_application_review_application_id"))

    op.drop_table("application_review")
    with op.batch_alter_table("application_objection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_objection_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_application_objection_application_id"))

    op.drop_table("application_objection")
    with op.batch_alter_table("application_material", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_application_material_item", sqlite_where=sa.text("NOT deleted"), postgresql_where=sa.text("NOT deleted")
        )
        batch_op.drop_index(batch_op.f("ix_application_material_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_application_material_application_id"))

    op.drop_table("application_material")
    with op.batch_alter_table("visit_plan", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_visit_plan_of_a_quarter", sqlite_where=sa.text("NOT deleted"), postgresql_where=sa.text("NOT deleted")
        )
        batch_op.drop_index(batch_op.f("ix_visit_plan_region_id"))

    op.drop_table("visit_plan")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_window_id"))
        batch_op.drop_index(batch_op.f("ix_submission_region_id"))

    op.drop_table("submission")
    op.drop_table("second_factor")
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_view_region_id"))
        batch_op.drop_index(batch_op.f("ix_saved_view_owner_id"))

    op.drop_table("saved_view")
    with op.batch_alter_table("relation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_relation_other_id"))
        batch_op.drop_index(batch_op.f("ix_relation_enterprise_id"))

    op.drop_table("relation")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_user_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_password_reset_user_id"))

    op.drop_table("password_reset")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_user_id_seen_at")

    op.drop_table("notice")
    with op.batch_alter_table("confirmation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_confirmation_enterprise_id_month",
            sqlite_where=sa.text("NOT deleted"),
            postgresql_where=sa.text("NOT deleted"),
        )
        batch_op.drop_index(batch_op.f("ix_confirmation_user_id"))
        batch_op.drop_index(batch_op.f("ix_confirmation_enterprise_id"))

    op.drop_table("confirmation")
    with op.batch_alter_table("comment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_comment_region_id"))
        batch_op.drop_index("ix_comment_noun_record_id")
        batch_op.drop_index(batch_op.f("ix_comment_enterprise_id"))
        batch_op.drop_index(batch_op.f("ix_comment_author_id"))

    op.drop_table("comment")
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_region_id"))
        batch_op.drop_index(batch_op.f("ix_collection_owner_id"))

    op.drop_table("collection")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_user_id"))
        batch_op.drop_index(batch_op.f("ix_absence_deputy_id"))

    op.drop_table("absence")
    with op.batch_alter_table("pool_selection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pool_selection_region_id"))

    op.drop_table("pool_selection")
