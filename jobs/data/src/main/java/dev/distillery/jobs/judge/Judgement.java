package dev.distillery.jobs.judge;

import dev.distillery.core.teacher.FinishReasons;
import dev.distillery.jobs.judge.Questions.First;
import dev.distillery.jobs.judge.Questions.Question;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What came of an item by one criterion: a verdict or grade, or the rule by which there is none.
 *
 * @param verdict a, b or tie; null of a grade, and where there is none
 * @param score the grade, or AlpacaEval's preference; null where there is none
 * @param shownFirst a or b, where one order was asked
 * @param label verdicts of both orders
 * @param reason what the judge said
 * @param seconds time of the replies; null where nothing was asked
 * @param rule why there is no verdict; null where there is one
 * @param detail what the rule found
 */
record Judgement(
    @Nullable String criterion,
    @Nullable String verdict,
    @Nullable Double score,
    @Nullable String shownFirst,
    Map<String, String> label,
    @Nullable String reason,
    @Nullable Double seconds,
    @Nullable String rule,
    @Nullable String detail) {
  static final String A = "a";
  static final String B = "b";
  static final String TIE = "tie";

  /** The rule of a reply in which no verdict can be read. */
  static final String UNPARSED = "unparsed";

  /** The rule of a reply that did not end by itself: what it would have said is not known. */
  static final String CUT = "cut";

  /** The rule of a request that failed. */
  static final String FAILED = "judge_failed";

  private static final double LEAST = 1;
  private static final double MOST = 10;

  /** So much of a reply's end stands in a detail. */
  private static final int TAIL = 120;

  /** A reply that ended so is not whole; servers give whole ones words of their own. */
  private static final Set<String> CUTS =
      Set.of(FinishReasons.LENGTH, FinishReasons.CONTENT_FILTER);

  /**
   * One reply of the judge.
   *
   * @param text null where the request failed
   * @param ended why it ended, as the table completions has it; {@code stop} where it is whole
   * @param error why the request failed
   */
  record Reply(@Nullable String text, String ended, long millis, @Nullable String error) {}

  /**
   * Reads the replies to what was asked about an item by one criterion.
   *
   * @param replies by request id; what is not there has not been answered yet
   * @return empty where a reply is missing
   */
  static Optional<Judgement> of(
      Questions questions,
      JudgedItem item,
      @Nullable String criterion,
      Map<String, Reply> replies) {
    List<Question> asked = questions.about(item, criterion);
    if (asked.isEmpty()) {
      return Optional.of(
          new Judgement(criterion, TIE, 1.5, null, Map.of(), null, null, null, null));
    }
    var said = new ArrayList<Reply>();
    for (Question question : asked) {
      Reply reply = replies.get(question.request().requestId());
      if (reply == null) {
        return Optional.empty();
      }
      said.add(reply);
    }
    return Optional.of(read(questions.form(), item, criterion, asked, said));
  }

  private static Judgement read(
      JudgeForm form,
      JudgedItem item,
      @Nullable String criterion,
      List<Question> asked,
      List<Reply> said) {
    String reason =
        said.stream()
            .map(reply -> reply.text() == null ? "" : reply.text())
            .collect(Collectors.joining("\n\n---\n\n"));
    double seconds = said.stream().mapToLong(Reply::millis).sum() / 1000.0;
    List<String> shown =
        Stream.of(JudgePrompt.readable(item.prompt()), item.answerA(), item.answerB())
            .filter(Objects::nonNull)
            .toList();
    Map<String, String> verdicts = new LinkedHashMap<>();
    for (int i = 0; i < said.size(); i++) {
      Reply reply = said.get(i);
      First first = asked.get(i).first();
      if (reply.text() == null) {
        return none(criterion, reason, seconds, FAILED, String.valueOf(reply.error()));
      }
      if (CUTS.contains(reply.ended())) {
        return none(criterion, reason, seconds, CUT, cut(form, first, reply));
      }
      Optional<String> word =
          VerdictReader.read(
                  reply.text(), form.marker(), shown, reply.ended().equals(FinishReasons.STOP))
              .filter(found -> form.compares() || isGrade(found));
      if (word.isEmpty()) {
        return none(criterion, reason, seconds, UNPARSED, unread(form, first, reply));
      }
      verdicts.put(
          first == First.A ? "a_first" : "b_first",
          form.compares() ? verdict(word.get(), first) : word.get());
    }
    String one = verdicts.values().iterator().next();
    return switch (form) {
      case SINGLE ->
          new Judgement(
              criterion, null, Double.valueOf(one), null, Map.of(), reason, seconds, null, null);
      case ALPACA_EVAL ->
          new Judgement(
              criterion,
              one,
              one.equals(A) ? 2.0 : one.equals(B) ? 1.0 : 1.5,
              asked.get(0).first() == First.A ? A : B,
              Map.of(),
              reason,
              seconds,
              null,
              null);
      case PAIRWISE ->
          new Judgement(
              criterion,
              verdicts.values().stream().allMatch(one::equals) ? one : TIE,
              null,
              null,
              verdicts,
              reason,
              seconds,
              null,
              null);
    };
  }

  private static Judgement none(
      @Nullable String criterion, String reason, double seconds, String rule, String detail) {
    return new Judgement(criterion, null, null, null, Map.of(), reason, seconds, rule, detail);
  }

  private static boolean isGrade(String number) {
    double grade = Double.parseDouble(number);
    return grade >= LEAST && grade <= MOST;
  }

  private static String verdict(String letter, First first) {
    return switch (letter) {
      case "A" -> first == First.A ? A : B;
      case "B" -> first == First.A ? B : A;
      default -> TIE;
    };
  }

  private static String cut(JudgeForm form, First first, Reply reply) {
    return the(form, first)
        + " is cut: its finish_reason is "
        + reply.ended()
        + (reply.ended().equals(FinishReasons.LENGTH) ? " (raise --max-new-tokens)" : "")
        + "; "
        + end(reply);
  }

  private static String unread(JudgeForm form, First first, Reply reply) {
    return the(form, first)
        + " gives no "
        + form.wanted()
        + ", or, as one of the texts that it judges holds such a mark too, none that stands alone"
        + " on its last line; "
        + end(reply);
  }

  private static String the(JudgeForm form, First first) {
    return "The reply"
        + (form.compares() ? " that saw answer " + (first == First.A ? A : B) + " first" : "");
  }

  private static String end(Reply reply) {
    String text = String.valueOf(reply.text());
    return "it ends: " + text.substring(Math.max(0, text.length() - TAIL));
  }
}
