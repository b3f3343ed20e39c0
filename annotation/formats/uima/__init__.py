"""UIMA documents: CAS XMI, CAS JSON and WebAnno TSV, as INCEpTION exports them."""
