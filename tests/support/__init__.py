"""What tests share: servers, models, conversations and counters they run against."""
