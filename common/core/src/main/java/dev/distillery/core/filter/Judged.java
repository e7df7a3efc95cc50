package dev.distillery.core.filter;

import java.util.Optional;

/**
 * What a rule says of a row.
 *
 * @param row as it goes on: rules that drop lines change it
 * @param objection why it is dropped; empty where it is kept
 */
public record Judged(RowText row, Optional<Objection> objection) {

  /**
   * Why a row is dropped.
   *
   * @param rule name in the table rejects, in snake case
   * @param detail what the rule found
   */
  public record Objection(String rule, String detail) {}

  static Judged kept(RowText row) {
    return new Judged(row, Optional.empty());
  }

  static Judged dropped(RowText row, String rule, String detail) {
    return new Judged(row, Optional.of(new Objection(rule, detail)));
  }
}
