package dev.distillery.jobs.rate;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.random.CounterRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/**
 * A row of the table rating_items, with its codec.
 *
 * @param id what the page calls it
 * @param rowId the row that is rated
 * @param prompt what was asked; a dialogue as JSON
 * @param instruction what was asked, where the input is apart
 * @param answers in the order by which votes name them, from 1
 * @param expected the right answer's place, where raters are tested
 */
record RatingItem(
    String id,
    String rowId,
    RateForm form,
    @Nullable String prompt,
    @Nullable String instruction,
    @Nullable String input,
    List<Answer> answers,
    @Nullable String expected,
    String source,
    String license) {
  static final String A = "a";
  static final String B = "b";

  /** An answer, who gave it, and for pairs whose side it is. */
  record Answer(String text, @Nullable String model, @Nullable String side) {}

  RatingItem {
    answers = List.copyOf(answers);
  }

  /** The item under a name, and with answers in an order, that only the key can tell. */
  RatingItem hidden(RatingKey key) {
    List<String> parts = new ArrayList<>(List.of(form.word(), rowId, text(prompt)));
    answers.forEach(answer -> parts.addAll(List.of(answer.text(), text(answer.model()))));
    String name = key.name(parts.toArray(String[]::new));
    long draws = key.seed("order", name);
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      places.add(i);
    }
    for (int i = places.size() - 1; i > 0; i--) {
      Collections.swap(places, i, (int) (CounterRandom.uniformDouble(draws, i) * (i + 1)));
    }
    return new RatingItem(
        name,
        rowId,
        form,
        prompt,
        instruction,
        input,
        places.stream().map(answers::get).toList(),
        expected == null ? null : "" + (places.indexOf(Integer.parseInt(expected) - 1) + 1),
        source,
        license);
  }

  /** The item with nothing but its prompt to say what was asked. */
  RatingItem ofPrompt() {
    return new RatingItem(id, rowId, form, prompt, null, null, answers, expected, source, license);
  }

  private static String text(@Nullable String text) {
    return text == null ? "" : text;
  }

  /** The answer that votes call so. */
  Answer answer(String place) {
    return answers.get(Integer.parseInt(place) - 1);
  }

  /** Whether votes may call an answer so. */
  boolean hasPlace(@Nullable String place) {
    return place != null
        && place.length() == 1
        && place.charAt(0) >= '1'
        && place.charAt(0) <= '0' + answers.size();
  }

  /** The place of a side's answer. */
  String placeOf(String side) {
    return side.equals(answers.get(0).side()) ? "1" : "2";
  }

  /** What was asked, turn by turn; one turn where it is no dialogue. */
  List<Message> turns() {
    return turns(text(prompt));
  }

  static List<Message> turns(String asked) {
    return MessageJson.dialogue(asked).orElseGet(() -> List.of(new Message("user", asked)));
  }

  /** What was asked as one text; of a dialogue every turn under its role. */
  String asked() {
    if (instruction != null) {
      return instruction;
    }
    List<Message> turns = turns();
    return turns.size() == 1
        ? turns.get(0).content()
        : turns.stream()
            .map(turn -> turn.role().toUpperCase(Locale.ROOT) + ":\n" + turn.content())
            .collect(Collectors.joining("\n\n"));
  }

  Row toRow() {
    return RowFactory.create(
        id,
        rowId,
        form.word(),
        prompt,
        instruction,
        input,
        answers.stream()
            .map(answer -> RowFactory.create(answer.text(), answer.model(), answer.side()))
            .toArray(Row[]::new),
        expected,
        source,
        license);
  }

  static RatingItem of(Row row) {
    return new RatingItem(
        row.getAs("id"),
        row.getAs("row_id"),
        RateForm.of(row.getAs("form")),
        row.getAs("prompt"),
        row.getAs("instruction"),
        row.getAs("input"),
        row.<Row>getList(row.fieldIndex("answers")).stream()
            .map(
                answer ->
                    new Answer(
                        Objects.requireNonNull(answer.<String>getAs("text")),
                        answer.getAs("model"),
                        answer.getAs("side")))
            .toList(),
        row.getAs("expected"),
        row.getAs("source"),
        row.getAs("license"));
  }
}
