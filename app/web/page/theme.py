"""Colours and type of the page, light and dark; no font is fetched."""

from gradio import themes

LIGHT = {
    "paper": "#f5f5f2", "card": "#ffffff", "line": "#dfded8", "ink": "#1b1d1f", "soft": "#5c636b", "accent": "#2457c5",
    "accent_hover": "#1c489f", "on_accent": "#ffffff", "field": "#fafaf8",
}  # fmt: skip
DARK = {
    "paper": "#101214", "card": "#181b1f", "line": "#2c3138", "ink": "#e8eaed", "soft": "#a0a8b1", "accent": "#8ab4f8",
    "accent_hover": "#a9c8fb", "on_accent": "#0b1930", "field": "#121519",
}  # fmt: skip
USES = {
    "body_background_fill": "paper", "background_fill_primary": "card", "background_fill_secondary": "paper",
    "body_text_color": "ink", "body_text_color_subdued": "soft", "border_color_primary": "line",
    "block_background_fill": "card", "block_border_color": "line", "block_label_background_fill": "card",
    "block_label_text_color": "soft", "block_title_text_color": "ink", "block_info_text_color": "soft",
    "panel_background_fill": "card", "input_background_fill": "field", "input_border_color": "line",
    "input_background_fill_focus": "field", "input_border_color_focus": "accent", "input_placeholder_color": "soft",
    "button_primary_background_fill": "accent", "button_primary_background_fill_hover": "accent_hover",
    "button_primary_text_color": "on_accent", "button_primary_border_color": "accent",
    "button_secondary_background_fill": "card", "button_secondary_background_fill_hover": "paper",
    "button_secondary_text_color": "ink", "button_secondary_border_color": "line",
    "color_accent_soft": "paper", "link_text_color": "accent", "link_text_color_hover": "accent_hover",
    "link_text_color_active": "accent", "link_text_color_visited": "accent", "slider_color": "accent",
    "checkbox_background_color": "field", "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "line", "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "card",
    "checkbox_label_background_fill_hover": "paper", "checkbox_label_background_fill_selected": "card",
    "checkbox_label_text_color": "ink", "checkbox_label_text_color_selected": "ink",
    "checkbox_label_border_color": "line", "checkbox_label_border_color_selected": "accent",
    "accordion_text_color": "ink",
}  # fmt: skip


def make_theme() -> themes.Base:
    """The theme."""
    values = {name: LIGHT[use] for name, use in USES.items()} | {
        f"{name}_dark": DARK[use] for name, use in USES.items()
    }
    theme = themes.Base(
        font=["system-ui", "-apple-system", "Segoe UI", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
        radius_size=themes.sizes.radius_md,
        spacing_size=themes.sizes.spacing_md,
    )
    return theme.set(
        **values,
        color_accent=LIGHT["accent"],
        block_shadow="none",
        block_shadow_dark="none",
        button_primary_shadow="none",
        block_border_width="1px",
        block_label_text_size="*text_sm",
    )
