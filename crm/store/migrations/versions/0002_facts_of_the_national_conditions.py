"""Every fact that a national condition needs: scores, ranks, days and declarations; nullable columns only."""

import sqlalchemy as sa
from alembic import op

from crm.store import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("figures", schema=None) as batch_op:
        batch_op.add_column(sa.Column("score_technology", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_core_support", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_ip_number", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_ip_obtained", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_standard", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("conversions_average", types.Exact(), nullable=True))
        batch_op.add_column(sa.Column("score_conversion", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_rd_system", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_rd_institution", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_rd_incentive", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_rd_talent", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_net_assets_growth", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("score_sales_growth", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("staff_count_hnte", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("main_hightech_income", types.Money(), nullable=True))
        batch_op.add_column(sa.Column("rd_external_hnte", types.Money(), nullable=True))
        batch_op.add_column(sa.Column("rd_other_hnte", types.Money(), nullable=True))
        batch_op.add_column(sa.Column("accident_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("env_violation_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("innovation_demonstration", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("ip_demonstration", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("national_award_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("provincial_award_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("maker_china_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("market_share_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("market_leading", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("main_product_area", types.Words(40), nullable=True))
        batch_op.add_column(sa.Column("industry_chain", types.Words(40), nullable=True))
        batch_op.add_column(sa.Column("quality_award", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("quality_certified", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("certified_abroad", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("own_brand", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("core_business_online", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("single_champion", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("group_has_little_giant", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("had_production_accident", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("had_data_incident", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("had_quality_problem", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("had_data_fraud", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("pays_income_tax", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("rd_cost_traceable", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("collection_method", types.Words(40), nullable=True))
        batch_op.add_column(sa.Column("negative_list_income", types.Money(), nullable=True))
        batch_op.add_column(sa.Column("on_120_list", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("construction_qualified", sa.Boolean(), nullable=True))

    with op.batch_alter_table("intellectual_property", schema=None) as batch_op:
        batch_op.add_column(sa.Column("holder_rank", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("in_use", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("economic_benefit", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("intellectual_property", schema=None) as batch_op:
        batch_op.drop_column("economic_benefit")
        batch_op.drop_column("in_use")
        batch_op.drop_column("holder_rank")

    with op.batch_alter_table("figures", schema=None) as batch_op:
        batch_op.drop_column("construction_qualified")
        batch_op.drop_column("on_120_list")
        batch_op.drop_column("negative_list_income")
        batch_op.drop_column("collection_method")
        batch_op.drop_column("rd_cost_traceable")
        batch_op.drop_column("pays_income_tax")
        batch_op.drop_column("had_data_fraud")
        batch_op.drop_column("had_quality_problem")
        batch_op.drop_column("had_data_incident")
        batch_op.drop_column("had_production_accident")
        batch_op.drop_column("group_has_little_giant")
        batch_op.drop_column("single_champion")
        batch_op.drop_column("core_business_online")
        batch_op.drop_column("own_brand")
        batch_op.drop_column("certified_abroad")
        batch_op.drop_column("quality_certified")
        batch_op.drop_column("quality_award")
        batch_op.drop_column("industry_chain")
        batch_op.drop_column("main_product_area")
        batch_op.drop_column("market_leading")
        batch_op.drop_column("market_share_rank")
        batch_op.drop_column("maker_china_rank")
        batch_op.drop_column("provincial_award_rank")
        batch_op.drop_column("national_award_rank")
        batch_op.drop_column("ip_demonstration")
        batch_op.drop_column("innovation_demonstration")
        batch_op.drop_column("env_violation_on")
        batch_op.drop_column("accident_on")
        batch_op.drop_column("rd_other_hnte")
        batch_op.drop_column("rd_external_hnte")
        batch_op.drop_column("main_hightech_income")
        batch_op.drop_column("staff_count_hnte")
        batch_op.drop_column("score_sales_growth")
        batch_op.drop_column("score_net_assets_growth")
        batch_op.drop_column("score_rd_talent")
        batch_op.drop_column("score_rd_incentive")
        batch_op.drop_column("score_rd_institution")
        batch_op.drop_column("score_rd_system")
        batch_op.drop_column("score_conversion")
        batch_op.drop_column("conversions_average")
        batch_op.drop_column("score_standard")
        batch_op.drop_column("score_ip_obtained")
        batch_op.drop_column("score_ip_number")
        batch_op.drop_column("score_core_support")
        batch_op.drop_column("score_technology")
