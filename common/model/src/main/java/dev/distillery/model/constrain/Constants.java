package dev.distillery.model.constrain;

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
  public void next(Reading reading, int b, Readings into) {
    int node = words.child(reading.at(), b);
    if (node < 0) {
      return;
    }
    if (words.endsAt(node) > 0) {
      into.end(reading.below());
    }
    if (words.firstChild(node) < words.endOfChildren(node)) {
      into.add(reading.to(node, 0));
    }
  }
}
