package dev.distillery.jobs.judge;

import java.util.List;
import java.util.regex.Pattern;

/** How answers are judged: what the judge is shown, and in which form it says its verdict. */
public enum JudgeForm {
  /** Two answers in both orders, after MT-bench. */
  PAIRWISE("pairwise.txt", JudgeForm.LETTERS),
  /** One answer, graded from 1 to 10, after MT-bench. */
  SINGLE("single.txt", JudgeForm.GRADES),
  /** Two answers in one drawn order, after AlpacaEval. */
  ALPACA_EVAL("alpaca-eval.txt", JudgeForm.LETTERS);

  private static final String LETTERS = "\\[\\[\\s*([ABC])\\s*]]";
  private static final String GRADES = "\\[\\[\\s*([0-9]{1,3}(?:\\.[0-9]{1,6})?)\\s*]]";

  private final String file;
  private final Pattern marker;

  JudgeForm(String file, String marker) {
    this.file = file;
    this.marker = Pattern.compile(marker);
  }

  /** Name of the packaged prompt. */
  String file() {
    return file;
  }

  /** A verdict within a reply; its group is what was decided. */
  Pattern marker() {
    return marker;
  }

  /** What a prompt of this form must show. */
  List<String> places() {
    return compares() ? List.of("prompt", "first", "second") : List.of("prompt", "answer");
  }

  /** Whether two answers are compared. */
  boolean compares() {
    return this != SINGLE;
  }

  /** The verdicts that are asked for, in words. */
  String wanted() {
    return compares() ? "[[A]], [[B]] or [[C]]" : "[[1]] to [[10]]";
  }
}
