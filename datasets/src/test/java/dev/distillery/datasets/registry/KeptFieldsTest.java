package dev.distillery.datasets.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.SourceSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A field that a row holds is read, costs the row a rule that names it, or is counted as unread.
 * Quotes are single ones here.
 */
class KeptFieldsTest {
  private static final SourceSettings PLAIN = SourceSettings.defaults();
  private static final String DIALOGUES =
      "'chosen': [{'role': 'user', 'content': 'p'}, {'role': 'assistant', 'content': 'c'}],"
          + " 'rejected': [{'role': 'user', 'content': 'p'}, {'role': 'assistant', 'content':"
          + " 'r'}]";
  private static final String TURNS =
      "'conversations': [{'from': 'human', 'value': 'Which lake?'}, {'from': 'gpt', 'value':"
          + " 'Lake Baikal.'}]";

  private static String json(String quoted) {
    return quoted.replace("DIALOGUES", DIALOGUES).replace("TURNS", TURNS).replace('\'', '"');
  }

  private static String row(Sources source, String quoted) {
    return String.join(" / ", ReadRows.rows(source, PLAIN, json(quoted)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        // Each shape has what stands beside its answers.
        "{'prompt': 'p', 'output_1': 'r', 'output_2': 'c', 'label': '2', 'tools': [1], 'margin':"
            + " '0.5'} | margin=0.5; prompt=user:p; chosen=c; rejected=r; | tools=[1]",
        "{'messages': [{'role': 'user', 'content': 'p'}], 'output_1': 'r', 'output_2': 'c',"
            + " 'preference': 2.0} | prompt=user:p; chosen=c; rejected=r; |",
        "{'question': 'p', 'output': ['c', 'r'], 'functions': [1], 'system': 's'} |"
            + " prompt=system:s, user:p; chosen=c; rejected=r; | tools=[1]",
        // Numbers that are written as text.
        "{'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'chosen_score': '9', 'rejected_score':"
            + " ' 2.5e0 '} | margin=6.5; prompt=user:p; | chosen_score=9.0; rejected_score=2.5",
        "{'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'margin': NaN, 'chosen_score': ''} |"
            + " prompt=user:p; | rejected=r",
        // What a dialogue holds may stand again beside it.
        "{DIALOGUES, 'prompt': 'p'} | prompt=user:p; | chosen=c",
        "{DIALOGUES, 'prompt': [{'role': 'user', 'content': 'p'}]} | prompt=user:p; | chosen=c",
        "{DIALOGUES, 'messages': [{'role': 'user', 'content': 'p'}, {'role': 'assistant',"
            + " 'content': 'c'}]} | prompt=user:p; | chosen=c",
        "{DIALOGUES, 'prompt': [{'role': 'system', 'content': 's'}, {'role': 'user', 'content':"
            + " 'p'}]} | prompt=system:s, user:p; | chosen=c"
      })
  void comparisonsKeepEveryField(String row, String start, String holds) {
    assertThat(row(Sources.PREFERENCES, row))
        .startsWith(start)
        .contains(holds == null ? "" : holds);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "PREFERENCES | {DIALOGUES, 'prompt': 'other'} | prompts_differ",
        "PREFERENCES | {DIALOGUES, 'input': 'other'} | prompts_differ",
        "PREFERENCES | {DIALOGUES, 'conversations': [{'role': 'user', 'content': 'q'}]} |"
            + " prompts_differ",
        "PREFERENCES | {'messages': [{'role': 'user', 'content': 'p'}], 'prompt': 'q', 'chosen':"
            + " 'c', 'rejected': 'r'} | prompts_differ",
        "PREFERENCES | {'prompt': 'p', 'chosen': {'role': 'user', 'content': 'c'}, 'rejected':"
            + " 'r'} | no_answer",
        "PREFERENCES | {'prompt': 'p', 'chosen': {'role': 'assistant', 'content': 'c', 'weight':"
            + " 0}, 'rejected': 'r'} | unsupported_content",
        "PREFERENCES | {'prompt': 'p', 'chosen': null, 'rejected': 'r'} | null_content",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'chosen_score': 'high'} |"
            + " invalid_number",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'margin': true} |"
            + " invalid_number",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'chosen_score': 1,"
            + " 'score_chosen': 2} | invalid_number",
        "PREFERENCES | {'prompt': 'p', 'output_1': 'a', 'output_2': 'b', 'label': 1,"
            + " 'preference': 2} | invalid_number",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'images': ['a.png']} |"
            + " unsupported_content",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'system': 's',"
            + " 'system_prompt': 't'} | two_systems",
        "SHAREGPT | {TURNS, 'messages': [{'role': 'user', 'content': 'x'}]} | two_dialogues",
        "SHAREGPT | {TURNS, 'human_0': 'Which river?'} | two_dialogues",
        "SHAREGPT | {'human_0': 'a', 'user_0': 'b', 'gpt_0': 'c'} | two_dialogues",
        "SHAREGPT | {TURNS, 'tools': [1], 'functions': [2]} | two_tools",
        "SHAREGPT | {TURNS, 'images': ['a.png']} | unsupported_content",
        "SHAREGPT | {'conversations': {'from': ['human'], 'value': ['a']}} | unknown_format",
        "OPENAI_MESSAGES | {'messages': [{'role': 'user', 'content': 'a', 'name': ['x']}, {'role':"
            + " 'assistant', 'content': 'b'}]} | invalid_name",
        "OPENAI_MESSAGES | {'messages': 'none'} | unknown_format",
        "ALPACA | {'instruction': 'a', 'output': 'b', 'tools': [{'name': 'f'}]} |"
            + " system_or_history",
        "ALPACA | {'instruction': 'a', 'output': 'b', 'image': 'a.png'} | unsupported_content",
        "HC3 | {'question': 'q', 'human_answers': [null]} | null_content",
        "HC3 | {'question': 'q', 'human_answers': 'a'} | unsupported_content",
        "DOCUMENTS | {'text': ['a', 'b']} | unsupported_content",
        "DOCUMENTS | {'text': 'a', 'score': 'high'} | invalid_number",
        "SELF_INSTRUCT | {'instruction': 'a', 'output': 'b', 'is_classification': 'perhaps'} |"
            + " invalid_flag"
      })
  void contradictionsAndWhatNoTableHoldsCostTheRowByName(Sources source, String row, String rule) {
    assertThat(row(source, row)).isEqualTo("rejected: " + rule);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "PREFERENCES | {'prompt': 'p', 'question': 'q', 'chosen': 'c', 'rejected': 'r'} | question",
        "PREFERENCES | {'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'output_1': 'x'} | output_1",
        "PREFERENCES | {'prompt': 'p', 'output': ['c', 'r'], 'margin': 1} | margin",
        "SHAREGPT | {TURNS, 'text': 'Which lake? Baikal.'} | text",
        "SHAREGPT | {'items': [{'human': 'Which lake is deepest?', 'assistant': 'Baikal.', 'mood':"
            + " 'glad', 'id': 1}]} | messages[].mood",
        "HC3 | {'question': 'q', 'prompt': 'other', 'human_answers': ['a']} | prompt",
        "DOCUMENTS | {'text': 'a', 'prompt': 'p'} | prompt",
        "OIG | {'text': 'A shop.\\n<human>: a\\n<bot>: b'} | text before its first turn",
        "SELF_INSTRUCT | {'instruction': 'a', 'instances': [{'input': 'i', 'output': 'o', 'hint':"
            + " 'h'}]} | instances[].hint",
        "SUMMARIZE_FROM_FEEDBACK | {'info': {'post': 'p', 'link': 'l'}, 'summaries': [{'text':"
            + " 'a'}, {'text': 'b'}], 'choice': '1'} | info.link",
        "OASST | {'prompt': {'message_id': '1', 'role': 'prompter', 'text': 'a', 'mood': 'glad',"
            + " 'replies': []}} | prompt.mood"
      })
  void whatStandsBesideWhatIsReadIsCountedAsUnread(Sources source, String row, String field)
      throws RejectedRowException {
    assertThat(ReadRows.unread(source, json(row))).containsExactly(field);
  }

  @Test
  void aCompletionGoesOnWhereItsPromptEnds() {
    assertThat(row(Sources.DOCUMENTS, "{'prompt': 'The lake ', 'completion': 'is deep.'}"))
        .startsWith("text=The lake is deep.;");
  }

  @Test
  void theSplitThatARowNamesGoesBeforeItsFiles() throws RejectedRowException {
    String pair = "{'prompt': 'p', 'chosen': 'c', 'rejected': 'r', 'split': '%s'}";
    assertThat(row(Sources.PREFERENCES, pair.formatted("dev"))).contains("split=validation;");
    assertThat(row(Sources.PREFERENCES, pair.formatted("maths"))).contains("split=train;");
    assertThat(ReadRows.unread(Sources.PREFERENCES, json(pair.formatted("maths"))))
        .containsExactly("split");
  }

  @Test
  void aListThatIsWrittenAsTextIsAList() {
    assertThat(
            row(
                Sources.OPENAI_MESSAGES,
                "{'messages': '[{\\'role\\': \\'user\\', \\'content\\': \\'a\\'},"
                    + " {\\'role\\': \\'assistant\\', \\'content\\': \\'b\\'}]'}"))
        .startsWith("messages=user:a, assistant:b;");
  }
}
