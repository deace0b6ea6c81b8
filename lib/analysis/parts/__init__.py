"""What is computed about reasoning, tool calls, results and images in a chat."""
