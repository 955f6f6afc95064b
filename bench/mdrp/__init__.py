"""The yardstick of dispatch: Grubhub's public Meal Delivery Routing Problem instances."""
