package dev.distillery.core.prompt;

import java.util.List;

/**
 * What was made of a reply: each candidate in it is in one of the two lists, in the reply's order.
 *
 * @param kept candidates that go on
 * @param rejected candidates that were dropped, with the rule that dropped each
 */
public record Parsed<T>(List<T> kept, List<Rejection> rejected) {
  public Parsed {
    kept = List.copyOf(kept);
    rejected = List.copyOf(rejected);
  }
}
