"""The real world: boto3, paramiko, smtplib, files."""
