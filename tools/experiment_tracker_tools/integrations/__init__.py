"""Doors to the services of others: where feature flags live, one file a provider, and a webhook for alerts."""
