"""laeforensics: from the evidence that signups left behind to audited accounts."""
