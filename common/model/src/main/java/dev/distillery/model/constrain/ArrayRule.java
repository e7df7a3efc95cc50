package dev.distillery.model.constrain;

import java.util.List;

/** An array; its count is of elements. */
final class ArrayRule extends Container {
  private final List<Choice> first;
  private final Choice rest;
  private final long least;
  private final long most;

  /**
   * @param first what fits the first elements
   * @param rest what fits the others
   * @param least elements
   * @param most elements; {@link JsonText#UNBOUNDED}
   */
  ArrayRule(List<Choice> first, Choice rest, long least, long most) {
    super('[', ']');
    this.first = List.copyOf(first);
    this.rest = rest;
    this.least = least;
    this.most = most;
  }

  private Choice element(long index) {
    return index < first.size() ? first.get((int) index) : rest;
  }

  @Override
  int innerHeight() {
    int height = 0;
    for (int i = 0; i < Math.min(least, first.size()); i++) {
      height = Math.max(height, first.get(i).height());
    }
    return least > first.size() ? Math.max(height, rest.height()) : height;
  }

  @Override
  boolean mayEnd(Reading reading) {
    return reading.count() >= least;
  }

  @Override
  boolean mayGoOn(Reading reading) {
    return reading.count() < most && element(reading.count()).fits(reading.depth());
  }

  @Override
  void element(Reading reading, Readings into) {
    long count = reading.count() + 1;
    // Where nothing is bounded above, no more is counted than makes a difference.
    long counted =
        most == JsonText.UNBOUNDED ? Math.min(count, Math.max(least, first.size())) : count;
    element(reading.count()).begin(reading.to(ELEMENT, counted), into);
  }
}
