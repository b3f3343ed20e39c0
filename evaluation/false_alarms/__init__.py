"""False alarms: how often a model marks what is no entity."""
