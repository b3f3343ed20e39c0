"""What mentions mean: ranks as grades, units as echelons and numbers, by tables and context."""
