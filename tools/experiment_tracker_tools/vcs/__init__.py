"""Variants captured, promoted and rolled back in git."""
