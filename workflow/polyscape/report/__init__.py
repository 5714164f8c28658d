"""What a person looks at: the page, the picture, the exported structures."""
