package dev.distillery.datasets.registry;

import static dev.distillery.datasets.registry.ReadRows.rows;
import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.SourceSettings;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What each reader makes of rows in the shape that its source publishes them in; the texts are
 * ours.
 */
class PublishedRowsTest {
  private static final SourceSettings PLAIN = SourceSettings.defaults();

  @Test
  void dolly() {
    assertThat(
            rows(
                Sources.DOLLY,
                PLAIN,
                """
                {"instruction": "Is a newt a fish?", "context": "Newts are amphibians.", \
                "response": "No.", "category": "classification"}
                """))
        .containsExactly(
            "instruction=Is a newt a fish?; input=Newts are amphibians.; output=No.;"
                + " is_classification=true; source=dolly; license=CC-BY-SA-3.0");
  }

  @Test
  void aRowOfAlpacaWithHistoryIsADialogue() {
    String[] rows = {
      """
      {"instruction": "And how high?", "input": "", "output": "4,800 m.", "system": "Be brief.", \
      "history": [["Which peak?", "Mont Blanc."]]}
      """,
      "{\"instruction\": \"And how high?\", \"output\": 4.80, \"system\": \"\", \"history\": []}",
      "{\"instruction\": \"Which?\", \"output\": [\"a\", 1], \"input\": true}",
      "{\"instruction\": \"Which?\", \"output\": \"a\", \"history\": [[\"b\"]]}",
      "{\"instruction\": \"Which?\", \"output\": null}"
    };
    assertThat(rows(Sources.ALPACA, PLAIN, rows))
        .containsExactly(
            "rejected: system_or_history",
            "instruction=And how high?; output=4.80; source=alpaca; license=CC-BY-NC-4.0",
            "instruction=Which?; input=true; output=[\"a\",1]; source=alpaca; license=CC-BY-NC-4.0",
            "rejected: invalid_history",
            "rejected: null_content");
    assertThat(rows(Sources.ALPACA_DIALOGUES, PLAIN, rows[0], rows[1]))
        .containsExactly(
            "messages=system:Be brief., user:Which peak?, assistant:Mont Blanc., user:And how"
                + " high?, assistant:4,800 m.; split=train; source=alpaca; license=CC-BY-NC-4.0",
            "messages=user:And how high?, assistant:4.80; split=train; source=alpaca;"
                + " license=CC-BY-NC-4.0");
  }

  @Test
  void aSystemTextBesideADialogueIsItsHead() {
    String dialogue =
        "\"conversations\": [{\"from\": \"human\", \"value\": \"How do I greet?\"},"
            + " {\"from\": \"gpt\", \"value\": \"Goedemorgen, buurman!\"}]";
    assertThat(
            rows(
                Sources.SHAREGPT,
                PLAIN,
                "{\"system_prompt\": \"Dutch only.\", " + dialogue + "}",
                "{\"system\": \"Dutch only.\", \"tools\": \"[{\\\"name\\\": 1}]\", "
                    + dialogue
                    + "}"))
        .allMatch(
            row ->
                row.startsWith(
                    "messages=system:Dutch only., user:How do I greet?, assistant:Goedemorgen"))
        .last()
        .asString()
        .endsWith("tools=[{\"name\":1}]");
  }

  @Test
  void turnsOfEveryForm() {
    assertThat(
            rows(
                Sources.SHAREGPT,
                PLAIN,
                "{\"human_0\": \"How are you today?\", \"gpt_0\": \"Well.\", \"human_1\": 1,"
                    + " \"gpt_1\": 2}",
                "{\"conversations\": [[\"How are you today?\", \"Well.\"], [1, 2]]}",
                "{\"conversations\": [{\"user\": \"How are you today?\", \"assistant\": \"Well.\"},"
                    + " {\"user\": 1, \"assistant\": 2}]}",
                "{\"human_0\": \"How?\", \"gpt_0\": null, \"human_1\": \"x\"}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"Hm?\"}, {\"from\":"
                    + " \"gpt\", \"value\": null}]}"))
        .satisfies(
            all ->
                assertThat(all.subList(0, 3))
                    .allMatch(
                        row ->
                            row.startsWith(
                                "messages=user:How are you today?, assistant:Well., user:1,"
                                    + " assistant:2;")))
        .endsWith("rejected: null_content", "rejected: null_content");
  }

  @Test
  void messagesInOpenAisForms() {
    assertThat(
            rows(
                Sources.OPENAI_MESSAGES,
                PLAIN,
                """
                {"messages": [{"role": "developer", "content": "Brief."}, {"role": "user", "content": \
                [{"type": "text", "text": "Which "}, {"type": "text", "text": "river?"}]}, {"role": \
                "assistant", "content": null, "tool_calls": [{"id": "c"}]}, {"role": "tool", \
                "tool_call_id": "c", "name": "map", "content": "4"}, {"role": "assistant", "content": \
                "The Tiber.", "weight": 0}], "tools": [{"type": "function"}]}
                """,
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\":"
                    + " \"assistant\", \"content\": null}]}"))
        .containsExactly(
            "messages=system:Brief., user:Which river?, assistant::null:null:[{\"id\":\"c\"}],"
                + " tool:4:map:null:null:c, assistant:The Tiber.:null:0.0; split=train;"
                + " source=openai-messages;"
                + " license=NOASSERTION; tools=[{\"type\":\"function\"}]",
            "rejected: unsupported_content",
            "rejected: null_content");
  }

  @Test
  void comparisonsKeepWhatStandsBesideThem() {
    String answers = "\"chosen\": \"Yes.\", \"rejected\": \"No.\"";
    assertThat(
            rows(
                Sources.PREFERENCES,
                PLAIN,
                "{\"system\": \"S\", \"input\": \"Where?\", \"chosen_score\": 9,"
                    + " \"rejected_score\": 2, "
                    + answers
                    + "}",
                "{\"system\": \"S\", \"prompt\": [{\"role\": \"user\", \"content\": \"Where?\"}], "
                    + answers
                    + "}",
                "{\"system\": \"S\", \"instruction\": \"Where?\", \"history\": [[\"a\", \"b\"]], "
                    + answers
                    + "}",
                "{\"system\": \"S\", " + answers + "}"))
        .satisfies(
            all -> {
              assertThat(all.get(0))
                  .contains("margin=7.0; prompt=system:S, user:Where?;")
                  .contains("chosen_score=9.0; rejected_score=2.0");
              assertThat(all.get(1)).startsWith("prompt=system:S, user:Where?;");
              assertThat(all.get(2))
                  .startsWith("prompt=system:S, user:a, assistant:b, user:Where?;");
              assertThat(all.get(3)).isEqualTo("rejected: empty_prompt");
            });
  }

  @Test
  void aLanguageIsItsPrimaryPart() {
    assertThat(
            rows(
                Sources.OASST,
                PLAIN,
                """
                {"message_tree_id": "1", "prompt": {"message_id": "1", "role": "prompter", "text": "Oi?", \
                "lang": "pt-BR", "replies": [{"message_id": "2", "role": "assistant", "text": "Oi.", \
                "lang": "pt-BR", "replies": []}]}}
                """))
        .singleElement()
        .asString()
        .contains("language=pt;");
  }

  @Test
  void answersAboutErrorsStayAndThePagesGo() {
    assertThat(
            rows(
                Sources.HC3,
                PLAIN,
                """
                {"question": "What is status 500?", "human_answers": ["An error occurred on the server.", \
                "A network error is something else."], "chatgpt_answers": ["It works.\\n\\nnetwork error", \
                "An error occurred. If this issue persists please contact us.", "network error"], \
                "source": "open_qa"}
                """))
        .extracting(row -> row.replaceAll(";.*", ""))
        .containsExactly(
            "messages=user:What is status 500?, assistant:An error occurred on the server.",
            "messages=user:What is status 500?, assistant:A network error is something else.",
            "messages=user:What is status 500?, assistant:It works.",
            "rejected: error_text",
            "rejected: error_text");
  }

  @Test
  void anIdIsTextAndNoPattern() {
    assertThat(
            rows(
                Sources.STACKEXCHANGE,
                PLAIN,
                PAIRED.replace("\"answer_id\": 8", "\"answer_id\": \"$1\\\\a$\"")))
        .singleElement()
        .asString()
        .contains("https://x.stackexchange.com/a/$1\\a$");
  }

  @Test
  void oig() {
    assertThat(
            rows(
                Sources.OIG,
                PLAIN,
                """
                {"text": "Background: a shop.\\n<human>: Do you sell <bot>: toys?\\n<bot>: No.\\n\\nOnly \
                tools.\\n<human>: Saws?\\n<bot>: Yes.", "metadata": {"source": "x"}}
                """))
        .containsExactly(
            "messages=user:Do you sell <bot>: toys?, assistant:No.\n\nOnly tools., user:Saws?,"
                + " assistant:Yes.; split=train; source=oig; license=Apache-2.0");
  }

  @Test
  void webgpt() throws RejectedRowException {
    String row =
        """
        {"question": {"dataset": "eli5", "id": "q", "full_text": "Why is rain wet? "}, \
        "quotes_0": {"title": [], "extract": []}, "answer_0": "Water. [1]", "score_0": %s, \
        "tokens_0": {"prefix": [], "completion": []}, "quotes_1": {"title": [], "extract": []}, \
        "answer_1": "It is not.", "score_1": %s, "tokens_1": {"prefix": [], "completion": []}}
        """;
    assertThat(rows(Sources.WEBGPT, PLAIN, row.formatted("-0.5", "0.5")))
        .containsExactly(
            "margin=1.0; prompt=user:Why is rain wet?; chosen=It is not.; rejected=Water. [1];"
                + " chosen_score=0.5; rejected_score=-0.5; split=train; source=webgpt;"
                + " license=NOASSERTION");
    assertThat(rows(Sources.WEBGPT, PLAIN, row.formatted("0", "0")))
        .containsExactly("rejected: tie");
  }

  @Test
  void summaries() throws RejectedRowException {
    String answers =
        """
        "summaries": [{"text": " A fox ran.", "policy": "sup1", "note": "ok"}, \
        {"text": " A dog slept.", "policy": "ref", "note": null}], "choice": 1, \
        "worker": "w", "batch": "batch3", "split": "valid1", "extra": {"confidence": 8}}
        """;
    assertThat(
            rows(
                Sources.SUMMARIZE_FROM_FEEDBACK,
                PLAIN,
                """
                {"info": {"id": "t3", "post": "First.\\n\\nThen.", "title": "Pets", "subreddit": "aww", \
                "site": null, "article": null},
                """
                    + answers,
                """
                {"info": {"id": "c", "post": null, "title": "News", "subreddit": null, "site": "cnn", \
                "article": "It rained."},
                """
                    + answers))
        .containsExactly(
            "prompt=user:SUBREDDIT: r/aww\n\nTITLE: Pets\n\nPOST: First.\nThen.\n\nTL;DR:;"
                + " chosen=A dog slept.; rejected=A fox ran.; split=validation;"
                + " source=summarize-from-feedback; license=CC-BY-4.0",
            "prompt=user:TITLE: News\n\nIt rained.\n\nTL;DR:; chosen=A dog slept.; rejected=A fox"
                + " ran.; split=validation; source=summarize-from-feedback; license=CC-BY-4.0");
  }

  @Test
  void oasstByMessage() throws RejectedRowException {
    String row =
        """
        {"message_id": "%s", "parent_id": %s, "message_tree_id": "t", "text": "%s", "role": "%s", \
        "lang": "es", "deleted": %s, "rank": null}
        """;
    assertThat(
            rows(
                Sources.OASST,
                PLAIN,
                row.formatted("d", "\"c\"", "Otra vez?", "prompter", false),
                row.formatted("a", "null", "Hola", "prompter", false),
                row.formatted("c", "\"a\"", "Buenas", "assistant", false),
                row.formatted("b", "\"a\"", "Fuera", "assistant", true),
                row.formatted("z", "\"gone\"", "Sola", "assistant", false)))
        .containsExactly(
            "rejected: deleted",
            "messages=user:Hola, assistant:Buenas; language=es; split=train; source=oasst;"
                + " license=Apache-2.0",
            "rejected: no_answer",
            "rejected: orphan");
  }

  @Test
  void oasstWithoutWhatModeratorsRefused() throws RejectedRowException {
    String tree =
        "{\"message_tree_id\": \"t\", \"prompt\": {\"message_id\": \"a\", \"text\": \"Hi\","
            + " \"role\": \"prompter\", \"review_result\": null, \"replies\": [{\"message_id\":"
            + " \"b\", \"text\": \"Hello\", \"role\": \"assistant\", \"review_result\":"
            + " true},{\"message_id\": \"c\", \"text\": \"Go away\", \"role\": \"assistant\","
            + " \"review_result\": false}]}}";
    SourceSettings dropping =
        new SourceSettings(
            Optional.empty(),
            Optional.empty(),
            PLAIN.shareGpt(),
            PLAIN.stackExchange(),
            new SourceSettings.Oasst(true));
    assertThat(rows(Sources.OASST, PLAIN, tree))
        .filteredOn(row -> row.startsWith("messages="))
        .hasSize(2);
    assertThat(rows(Sources.OASST, dropping, tree))
        .filteredOn(row -> row.startsWith("messages="))
        .singleElement()
        .asString()
        .startsWith("messages=user:Hi, assistant:Hello;");
    assertThat(rows(Sources.OASST, dropping, tree))
        .anyMatch(row -> row.contains("refused_by_review"));
  }

  @Test
  void oasstByTree() throws RejectedRowException {
    assertThat(
            rows(
                Sources.OASST,
                PLAIN,
                """
                {"message_tree_id": "t", "tree_state": "ready_for_export", "prompt": {"message_id": "a", \
                "text": "Hi", "role": "prompter", "lang": "en", "replies": [{"message_id": "b", \
                "text": "Hello", "role": "assistant", "lang": "en", "replies": []}, {"message_id": "c", \
                "text": "Hey", "role": "assistant", "lang": "en", "replies": []}]}}
                """))
        .containsExactly(
            "messages=user:Hi, assistant:Hello; language=en; split=train; source=oasst;"
                + " license=Apache-2.0",
            "messages=user:Hi, assistant:Hey; language=en; split=train; source=oasst;"
                + " license=Apache-2.0");
  }

  @Test
  void hc3KeepsEveryAnswerOfBothAndDropsErrors() throws RejectedRowException {
    assertThat(
            rows(
                Sources.HC3,
                PLAIN,
                """
                {"question": "What is a byte?", "human_answers": ["Eight bits.", "An octet."], \
                "chatgpt_answers": ["Too many requests in 1 hour. Try again later.", "8 bits."], \
                "source": "wikipedia_csai"}
                """,
                "{\"question\": \"何为字节？\", \"human_answers\": [\"八位。\"], \"chatgpt_answers\": []}"))
        .containsExactly(
            "messages=user:What is a byte?, assistant:Eight bits.; split=train;"
                + " source=hc3/wiki_csai/human; license=CC-BY-SA-4.0",
            "messages=user:What is a byte?, assistant:An octet.; split=train;"
                + " source=hc3/wiki_csai/human; license=CC-BY-SA-4.0",
            "rejected: error_text",
            "messages=user:What is a byte?, assistant:8 bits.; split=train;"
                + " source=hc3/wiki_csai/chatgpt; license=CC-BY-SA-4.0",
            "messages=user:何为字节？, assistant:八位。; split=train; source=hc3/train/human;"
                + " license=CC-BY-SA-4.0");
  }

  @Test
  void hhRlhfTakesTheWordsWithinATurnForText() throws RejectedRowException {
    String start = "\\n\\nHuman: Say \\\"Assistant: no\\\".\\n\\nAssistant: ";
    assertThat(
            rows(
                Sources.HH_RLHF,
                PLAIN,
                "{\"chosen\": \"" + start + "Yes\", \"rejected\": \"" + start + "No Human: x\"}"))
        .containsExactly(
            "prompt=user:Say \"Assistant: no\".; chosen=Yes; rejected=No Human: x; split=train;"
                + " source=hh-rlhf; license=MIT");
  }

  private static final String PAIRED =
      """
      {"qid": 7, "question": "<p>Use <code>a_b</code>?</p>", "date": "2019/04/02", "metadata": \
      ["https://x.stackexchange.com/questions/7", "https://x.stackexchange.com", \
      "https://x.stackexchange.com/users/1/"], "answers": [{"answer_id": 8, "author": "Ann", \
      "author_id": 2, "author_profile": "https://x.stackexchange.com/users/2/", "pm_score": 4, \
      "selected": true, "text": "<p>Yes.</p>"}, {"answer_id": 9, "author": "Bob", "author_id": 3, \
      "author_profile": "", "pm_score": 1, "selected": false, "text": "<p>No.</p>"}]}
      """;

  private static final String PAIRED_FOR =
      "split=train; source=stackexchange; license=CC-BY-SA-4.0;"
          + " attribution=https://x.stackexchange.com/users/1/:https://x.stackexchange.com/questions/7:2019-04-02:CC-BY-SA-4.0,"
          + " Ann (https://x.stackexchange.com/users/2/)"
          + ":https://x.stackexchange.com/a/8:2019-04-02:CC-BY-SA-4.0,"
          + " Bob:https://x.stackexchange.com/a/9:2019-04-02:CC-BY-SA-4.0";

  @Test
  void stackExchangePreferences() throws RejectedRowException {
    assertThat(rows(Sources.STACKEXCHANGE, PLAIN, PAIRED))
        .containsExactly(
            "margin=3.0; prompt=user:Use `a_b`?; chosen=Yes.; rejected=No.; chosen_score=4.0;"
                + " rejected_score=1.0; "
                + PAIRED_FOR);
  }

  @Test
  void stackExchangeBinarized() throws RejectedRowException {
    SourceSettings binarized =
        new SourceSettings(
            Optional.empty(),
            Optional.empty(),
            PLAIN.shareGpt(),
            new SourceSettings.StackExchange("", 10, -1, true),
            PLAIN.oasst());
    assertThat(rows(Sources.STACKEXCHANGE, binarized, PAIRED))
        .containsExactly(
            "margin=3.0; prompt=user:Use `a_b`?; chosen=GOOD:Yes.; rejected=BAD:Yes.;"
                + " chosen_score=4.0; rejected_score=1.0; "
                + PAIRED_FOR,
            "margin=3.0; prompt=user:Use `a_b`?; chosen=BAD:No.; rejected=GOOD:No.;"
                + " chosen_score=4.0; rejected_score=1.0; "
                + PAIRED_FOR);
  }

  @Test
  void selfInstruct() throws RejectedRowException {
    assertThat(
            rows(
                Sources.SELF_INSTRUCT_SEEDS,
                PLAIN,
                """
                {"id": "seed_task_0", "name": "count", "instruction": "Count.", "instances": \
                [{"input": "a b", "output": "2"}, {"input": "", "output": "0"}], \
                "is_classification": false}
                """))
        .containsExactly(
            "instruction=Count.; input=a b; output=2; is_classification=false;"
                + " source=self-instruct-seeds; license=Apache-2.0",
            "instruction=Count.; output=0; is_classification=false; source=self-instruct-seeds;"
                + " license=Apache-2.0");
    assertThat(
            rows(
                Sources.SELF_INSTRUCT,
                PLAIN,
                "{\"instruction\": \"Count.\", \"most_similar\": {\"Add.\": 0.2}, \"request_idx\":"
                    + " 4}"))
        .containsExactly("instruction=Count.; source=self-instruct; license=Apache-2.0");
  }

  @Test
  void comparisonsInEveryShape() throws RejectedRowException {
    String expected =
        "prompt=user:Pick.; chosen=Good.; rejected=Bad.; split=train; source=preferences";
    assertThat(
            rows(
                Sources.PREFERENCES,
                PLAIN,
                "{\"prompt\": \"Pick.\", \"chosen\": \"Good.\", \"rejected\": \"Bad.\"}",
                """
                {"chosen": [{"role": "user", "content": "Pick."}, {"role": "assistant", "content": "Good."}], \
                "rejected": [{"role": "user", "content": "Pick."}, {"role": "assistant", "content": "Bad."}]}
                """,
                """
                {"conversations": [{"from": "human", "value": "Pick."}], "chosen": {"from": "gpt", \
                "value": "Good."}, "rejected": {"from": "gpt", "value": "Bad."}}
                """,
                """
                {"instruction": "Pick.", "output_1": "Bad.", "output_2": "Good.", "preference": 2}
                """,
                "{\"instruction\": \"Pick.\", \"input\": \"\", \"output\": [\"Good.\", \"Bad.\"]}"))
        .hasSize(5)
        .allMatch(row -> row.startsWith(expected), expected);
  }
}
