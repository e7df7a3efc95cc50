package dev.distillery.model.constrain;

import org.jspecify.annotations.Nullable;

/** One of some texts, byte by byte: true, false, null, the values of an enum. */
final class Constants implements JsonRule {
  private final ByteTrie words;

  Constants(ByteTrie words) {
    this.words = words;
  }

  /** Its own texts are counted as they are read. */
  @Override
  public String needs() {
    return "";
  }

  @Override
  public int height() {
    return 0;
  }

  @Override
  public void begin(@Nullable Reading below, Readings into) {
    into.add(new Reading(this, 0, 0, below));
  }

  @Override
  public void next(Reading frame, int b, Readings into) {
    int node = words.child(frame.at(), b);
    if (node < 0) {
      return;
    }
    if (words.endsAt(node) > 0) {
      into.end(frame.below());
    }
    if (words.firstChild(node) < words.endOfChildren(node)) {
      into.add(frame.to(node, 0));
    }
  }
}
