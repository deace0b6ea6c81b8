"""Who looks at a page, and what the pages say about whose chats these are."""
