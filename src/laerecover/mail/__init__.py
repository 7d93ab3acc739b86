"""Mails: their texts, their outbox, what becomes of them."""
