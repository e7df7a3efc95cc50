package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An element of a parsed page, or (where it has no name) a run of its text. */
final class HtmlNode {
  /** Lower-case tag name; empty for the page itself and for text. */
  final String name;

  /** The text of a text node, its references resolved; null for an element. */
  final @Nullable String text;

  /** By lower-case name; the last of repeated attributes. */
  final Map<String, String> attributes;

  final List<HtmlNode> children;
  final @Nullable HtmlNode parent;

  private HtmlNode(
      String name,
      @Nullable String text,
      Map<String, String> attributes,
      List<HtmlNode> children,
      @Nullable HtmlNode parent) {
    this.name = name;
    this.text = text;
    this.attributes = attributes;
    this.children = children;
    this.parent = parent;
  }

  static HtmlNode element(String name, Map<String, String> attributes, @Nullable HtmlNode parent) {
    return new HtmlNode(name, null, attributes, new ArrayList<>(4), parent);
  }

  static HtmlNode text(String text, HtmlNode parent) {
    return new HtmlNode("", text, Map.of(), List.of(), parent);
  }

  boolean isText() {
    return text != null;
  }

  /** Whether this node or one that it lies in is called {@code tag}. */
  boolean isWithin(String tag) {
    for (HtmlNode node = this; node != null; node = node.parent) {
      if (node.name.equals(tag)) {
        return true;
      }
    }
    return false;
  }
}
