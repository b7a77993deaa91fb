"""The page itself: Gradio components, what they show, and what happens when they are used."""
