"""Reading records: JSON, CSV, Parquet and datasets, whose fields are text and metadata."""
