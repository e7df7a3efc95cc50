package dev.distillery.core.dialogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quotes are single ones here. */
class MessageJsonTest {
  private final List<String> unread = new ArrayList<>();

  private Message read(String json) throws MessageJson.UnreadableException {
    return MessageJson.read(TextJson.parse(json.replace('\'', '"')), 0, unread::add);
  }

  /** What is there, without what is not. */
  private static String written(Message message) {
    String weight = message.weight().isPresent() ? "" + message.weight().getAsDouble() : "";
    return Stream.of(
            message.role(),
            message.content(),
            message.name().orElse(""),
            weight,
            message.toolCalls().orElse("").replace('"', '\''),
            message.toolCallId().orElse(""))
        .filter(part -> !part.isEmpty())
        .collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "{'role': 'developer', 'content': 'a'} | system a",
        "{'role': 'USER', 'content': 5} | user 5",
        "{'role': 'tool', 'name': 7, 'content': 'a', 'tool_call_id': 'c'} | tool a 7 c",
        "{'role': 'tool', 'content': 'a', 'tool_call_id': 12} | tool a 12",
        "{'role': 'user', 'name': '', 'content': [{'type': 'text', 'text': 'a'}, 'b']} | user ab",
        "{'role': 'assistant', 'content': null, 'refusal': 'No.'} | assistant No.",
        "{'role': 'assistant', 'content': null, 'tool_calls': [{'id': 1}]} | assistant [{'id':1}]",
        "{'role': 'assistant', 'content': '', 'tool_calls': '[{\\'id\\':1}]'} | assistant"
            + " [{'id':1}]",
        "{'role': 'assistant', 'tool_calls': [], 'function_call': {'name': 'f'}} |"
            + " assistant [{'type':'function','function':{'name':'f'}}]",
        "{'role': 'assistant', 'function_call': '{\\'name\\':\\'f\\'}'} |"
            + " assistant [{'type':'function','function':{'name':'f'}}]",
        "{'role': 'assistant', 'content': 'a', 'weight': 0} | assistant a 0.0",
        "{'role': 'assistant', 'content': 'a', 'train': true} | assistant a 1.0"
      })
  void aMessageInAFormThatPeopleUse(String json, String expected)
      throws MessageJson.UnreadableException {
    assertThat(written(read(json))).isEqualTo(expected);
    assertThat(unread).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "{'role': 'user', 'content': [{'type': 'image_url'}]} | unsupported_content |"
            + " Message 1 has a part that is no text: image_url",
        "{'role': 'user', 'content': [{'type': 'input_audio'}]} | unsupported_content |"
            + " input_audio",
        "{'role': 'assistant', 'content': null, 'audio': {'id': 'x'}} | unsupported_content |"
            + " Message 1 has audio",
        "{'role': 'user', 'content': 'See.', 'images': ['a.png']} | unsupported_content | has"
            + " images",
        "{'role': 'user', 'content': 'a', 'name': {'first': 'Ann'}} | invalid_name |"
            + " has a name that is no text",
        "{'role': 'assistant', 'content': 'a', 'function_call': 'auto'} | unsupported_content |"
            + " has a function_call that is no object: auto",
        "{'role': 'assistant', 'content': 'a', 'tool_calls': {'id': 1}} | unsupported_content |"
            + " has tool_calls that are no list",
        "{'role': 'tool', 'content': 'a', 'tool_call_id': ['c']} | invalid_tool_call_id | has a"
            + " tool_call_id that is no text",
        "{'role': 'assistant', 'content': 'a', 'weight': 'much'} | invalid_weight | much",
        "{'role': 'narrator', 'content': 'a'} | unknown_role | 'narrator'",
        "{'role': 'user'} | unknown_format | has no content; its members are [role]",
        "{'role': 'user', 'content': null} | null_content | has null for its content"
      })
  void whatCannotBeHeldIsRefusedByName(String json, String rule, String detail) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            MessageJson.UnreadableException.class,
            e -> {
              assertThat(e.rule()).isEqualTo(rule);
              assertThat(e.detail()).contains(detail);
            });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '#',
      value = {
        "{'role': 'user', 'content': 'a', 'mood': 'glad', 'id': 4, 'note': ''} | mood",
        "{'role': 'user', 'content': 'a', 'text': 'b', 'value': 'a'} | text",
        "{'role': 'assistant', 'content': 'a', 'refusal': 'b'} | refusal",
        "{'role': 'user', 'content': 'a', 'speaker': 'Ann'} | speaker",
        "{'role': 'user', 'content': 'a', 'weight': 1, 'train': false} | train",
        "{'role': 'assistant', 'tool_calls': [1], 'function_call': {'name': 'f'}} | function_call"
      })
  void whatStandsBesideWhatIsReadIsTold(String json, String member)
      throws MessageJson.UnreadableException {
    read(json);
    assertThat(unread).containsExactly(member);
  }
}
