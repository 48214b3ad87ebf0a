"""Exports of a recommendation: tables, workbook, report; each made from one record."""

from evalfolio.export.folder import check_folder as check_folder
from evalfolio.export.folder import write_all as write_all
from evalfolio.export.mix import mix_table as mix_table
from evalfolio.export.mix import write_mix_csv as write_mix_csv
from evalfolio.export.mix import write_mix_parquet as write_mix_parquet
from evalfolio.export.report import write_report as write_report
from evalfolio.export.workbook import write_workbook as write_workbook
