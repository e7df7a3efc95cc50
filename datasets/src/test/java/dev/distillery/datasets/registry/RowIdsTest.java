package dev.distillery.datasets.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A row's id tells it from every row that teaches something else. */
class RowIdsTest {
  /**
   * Rows of a source, all different in what they teach; the first also with members that say
   * nothing of it.
   *
   * @param rows with single quotes
   */
  record Case(Sources source, List<String> rows) {
    static Case of(Sources source, String... rows) {
      return new Case(source, Arrays.stream(rows).map(row -> row.replace('\'', '"')).toList());
    }

    String plain() {
      return rows.get(0);
    }

    String dated() {
      return plain().replaceFirst("\\{", "{\"created_at\": \"2026-01-02\", ");
    }
  }

  private static final String ASK = "{'role': 'user', 'content': 'a'}, ";
  private static final String SAY = "{'role': 'assistant', 'content': 'b'}";
  private static final String TURNS =
      "'conversations': [{'from': 'human', 'value': 'Which lake?'}, {'from': 'gpt', 'value':"
          + " 'Lake Baikal.'}]";
  private static final String PAIR = "'prompt': 'p', 'chosen': 'c', 'rejected': 'r'";

  static Stream<Case> cases() {
    return Stream.of(
        Case.of(
            Sources.ALPACA,
            "{'instruction': 'a', 'output': 'b'}",
            "{'instruction': 'a2', 'output': 'b'}",
            "{'instruction': 'a', 'input': 'i', 'output': 'b'}",
            "{'instruction': 'a', 'output': 'b2'}"),
        Case.of(
            Sources.ALPACA_DIALOGUES,
            "{'instruction': 'a', 'output': 'b'}",
            "{'instruction': 'a', 'input': 'i', 'output': 'b'}",
            "{'instruction': 'a', 'output': 'b2'}",
            "{'instruction': 'a', 'output': 'b', 'system': 's'}",
            "{'instruction': 'a', 'output': 'b', 'history': [['x', 'y']]}",
            "{'instruction': 'a', 'output': 'b', 'tools': [{'name': 'f'}]}"),
        Case.of(
            Sources.SHAREGPT,
            "{" + TURNS + "}",
            "{" + TURNS.replace("Baikal", "Como") + "}",
            "{" + TURNS + ", 'system': 's'}",
            "{" + TURNS + ", 'system': 't'}",
            "{" + TURNS + ", 'history': [['x', 'y']]}",
            "{" + TURNS + ", 'tools': '[{}]'}",
            "{" + TURNS.replace("'from': 'gpt'", "'from': 'gpt', 'weight': 0") + "}"),
        Case.of(
            Sources.OPENAI_MESSAGES,
            "{'messages': [" + ASK + SAY + "]}",
            "{'messages': [" + ASK + SAY.replace("'b'", "'b2'") + "]}",
            "{'messages': [" + ASK.replace("'a'", "'a', 'name': 'ann'") + SAY + "]}",
            "{'messages': [" + ASK + SAY.replace("'b'", "'b', 'weight': 0") + "]}",
            "{'messages': [" + ASK + SAY.replace("'b'", "'b', 'tool_calls': [{'id': 1}]") + "]}",
            "{'messages': [" + ASK + SAY.replace("'b'", "'b', 'tool_call_id': 'c'") + "]}",
            "{'messages': [" + ASK + SAY + "], 'system': 's'}",
            "{'messages': [" + ASK + SAY + "], 'tools': [{'name': 'f'}]}"),
        Case.of(
            Sources.PREFERENCES,
            "{" + PAIR + "}",
            "{" + PAIR.replace("'p'", "'q'") + "}",
            "{" + PAIR.replace("'c'", "'d'") + "}",
            "{" + PAIR.replace("'r'", "'s'") + "}",
            "{" + PAIR + ", 'input': 'i'}",
            "{" + PAIR + ", 'system': 's'}",
            "{" + PAIR + ", 'history': [['x', 'y']]}",
            "{" + PAIR + ", 'tools': [{'name': 'f'}]}",
            "{" + PAIR + ", 'tools': [{'name': 'g'}]}",
            "{" + PAIR + ", 'margin': 1}",
            "{" + PAIR + ", 'margin': 2}",
            "{" + PAIR + ", 'chosen_score': 2}",
            "{" + PAIR + ", 'rejected_score': 2}"),
        Case.of(
            Sources.HH_RLHF,
            "{'chosen': '\\n\\nHuman: a\\n\\nAssistant: b', 'rejected': '\\n\\nHuman:"
                + " a\\n\\nAssistant: c'}",
            "{'chosen': '\\n\\nHuman: a\\n\\nAssistant: c', 'rejected': '\\n\\nHuman:"
                + " a\\n\\nAssistant: b'}"),
        Case.of(
            Sources.WEBGPT,
            "{'question': 'q', 'answer_0': 'a', 'answer_1': 'b', 'score_0': 1, 'score_1': -1}",
            "{'question': 'q', 'answer_0': 'a', 'answer_1': 'b', 'score_0': 0.5, 'score_1': -0.5}",
            "{'question': 'q', 'answer_0': 'a', 'answer_1': 'b', 'score_0': -1, 'score_1': 1}"),
        Case.of(
            Sources.SUMMARIZE_FROM_FEEDBACK,
            "{'info': {'post': 'p'}, 'summaries': [{'text': 'a'}, {'text': 'b'}], 'choice': 0}",
            "{'info': {'post': 'p'}, 'summaries': [{'text': 'a'}, {'text': 'b'}], 'choice': 1}",
            "{'info': {'post': 'p', 'title': 't'}, 'summaries': [{'text': 'a'}, {'text': 'b'}],"
                + " 'choice': 0}",
            "{'info': {'post': 'p', 'subreddit': 't'}, 'summaries': [{'text': 'a'}, {'text':"
                + " 'b'}], 'choice': 0}"),
        Case.of(
            Sources.STACKEXCHANGE,
            "{'qid': 7, 'question': 'q', 'answers': [{'answer_id': 1, 'pm_score': 4, 'text': 'a'},"
                + " {'answer_id': 2, 'pm_score': 1, 'text': 'b'}]}",
            "{'qid': 7, 'question': 'q', 'answers': [{'answer_id': 1, 'pm_score': 1, 'text': 'a'},"
                + " {'answer_id': 2, 'pm_score': 4, 'text': 'b'}]}",
            "{'qid': 7, 'question': 'q', 'answers': [{'answer_id': 1, 'pm_score': 5, 'text': 'a'},"
                + " {'answer_id': 2, 'pm_score': 1, 'text': 'b'}]}"),
        Case.of(
            Sources.HC3,
            "{'question': 'q', 'human_answers': ['a'], 'source': 'medicine'}",
            "{'question': 'q', 'chatgpt_answers': ['a'], 'source': 'medicine'}",
            "{'question': 'q', 'human_answers': ['b'], 'source': 'medicine'}"),
        Case.of(
            Sources.OIG, "{'text': '<human>: a\\n<bot>: b'}", "{'text': '<human>: a\\n<bot>: c'}"),
        Case.of(
            Sources.SELF_INSTRUCT_SEEDS,
            "{'instruction': 'a', 'instances': [{'input': 'i', 'output': 'o'}]}",
            "{'instruction': 'a', 'instances': [{'input': 'j', 'output': 'o'}]}"),
        Case.of(
            Sources.SELF_INSTRUCT,
            "{'instruction': 'a', 'output': 'o'}",
            "{'instruction': 'a', 'output': 'o', 'input': 'i'}"),
        Case.of(
            Sources.DOLLY,
            "{'instruction': 'a', 'response': 'r'}",
            "{'instruction': 'a', 'response': 'r', 'context': 'c'}",
            "{'instruction': 'a', 'response': 's'}"),
        Case.of(Sources.OASST, tree("b"), tree("c")),
        Case.of(
            Sources.DOCUMENTS,
            "{'completion': 'a'}",
            "{'prompt': 'p', 'completion': 'a'}",
            "{'text': 'b'}"),
        Case.of(Sources.DOCUMENT_LINES, "{'text': 'a'}", "{'text': 'b'}"),
        Case.of(Sources.DOCUMENT_FILES, "{'text': 'a'}", "{'text': 'b'}"));
  }

  private static String tree(String answer) {
    return "{'prompt': {'message_id': '1', 'role': 'prompter', 'text': 'a', 'replies':"
        + " [{'message_id': '2', 'role': 'assistant', 'text': '"
        + answer
        + "', 'replies': []}]}}";
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rowsThatTeachSomethingElseHaveOtherIds(Case rows) {
    Set<String> seen = new HashSet<>();
    for (String row : rows.rows()) {
      List<String> ids = ReadRows.ids(rows.source(), row);
      assertThat(ids).as(row).isNotEmpty();
      assertThat(ids).as(row).allMatch(seen::add);
    }
    assertThat(ReadRows.ids(rows.source(), rows.dated()))
        .isEqualTo(ReadRows.ids(rows.source(), rows.plain()));
  }

  @Test
  void everySourceHasItsRows() {
    assertThat(cases().map(Case::source).collect(Collectors.toSet()))
        .isEqualTo(EnumSet.allOf(Sources.class));
  }
}
