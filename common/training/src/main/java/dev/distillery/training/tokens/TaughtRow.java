package dev.distillery.training.tokens;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.run.JobException;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * A row of {@code completions} with the log-probabilities of {@code complete --logprobs}: the
 * question is context, and each token that the teacher wrote is learned from its likeliest ones.
 * The tokens are the teacher's own, so that its vocabulary must be the student's.
 */
final class TaughtRow {
  /** The reply came without log-probabilities. */
  static final String NO_LOGPROBS = "no_logprobs";

  /** The teacher tells texts of tokens, and no ids. */
  static final String NO_TOKEN_IDS = "no_token_ids";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final TokenSettings settings;

  TaughtRow(Tokenizer tokenizer, ChatTemplate template, TokenSettings settings) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.settings = settings;
  }

  /**
   * The row as tokens.
   *
   * @param prompt as the table has it: a text to continue, or messages as a JSON array
   * @param written each token of the reply
   * @param rowWeight of each of them; above 0
   * @throws JobException where a token of the teacher's is another of the student's
   */
  EncodedRow encode(String prompt, List<TokenLogprob> written, double rowWeight) {
    if (written.isEmpty()) {
      return EncodedRow.rejected(
          NO_LOGPROBS, "The reply has no log-probabilities: ask by complete --logprobs");
    }
    for (TokenLogprob token : written) {
      boolean known = token.id().isPresent();
      for (TokenLogprob.Top top : token.top()) {
        known &= top.id().isPresent();
        check(top.token(), top.id());
      }
      check(token.token(), token.id());
      if (!known) {
        return EncodedRow.rejected(
            NO_TOKEN_IDS, "The teacher gave no id of a token in place of '" + token.token() + "'");
      }
    }
    int[] context;
    try {
      context = context(prompt);
    } catch (IllegalArgumentException | MessageJson.UnreadableException e) {
      return EncodedRow.rejected(EncodedRow.NO_FORM, String.valueOf(e.getMessage()));
    }
    int tokens = context.length + written.size();
    if (tokens > settings.maxLength() && settings.overLength() == OverLength.REJECT) {
      return EncodedRow.rejected(
          EncodedRow.TOO_LONG,
          "The row has %s tokens, more than %s".formatted(tokens, settings.maxLength()));
    }
    int length = Math.min(tokens, settings.maxLength());
    if (context.length == 0 || length <= context.length) {
      return EncodedRow.rejected(
          context.length == 0 ? EncodedRow.EMPTY : EncodedRow.NO_LABEL_AFTER_CUT,
          "The question has %s tokens, and a row %s".formatted(context.length, length));
    }
    List<TokenLogprob> kept = written.subList(0, length - context.length);
    int[] ids = Arrays.copyOf(context, length);
    for (int t = context.length; t < length; t++) {
      ids[t] = kept.get(t - context.length).id().orElseThrow();
    }
    float[] weights = new float[length];
    Arrays.fill(weights, context.length, length, (float) rowWeight);
    TokenSequence sequence =
        new TokenSequence(ids, weights, new int[] {0})
            .with(TaughtTokens.figures(context.length, kept));
    boolean stops =
        tokenizer.id(template.answerEnd()).equals(OptionalInt.of(ids[length - 1]))
            || ids[length - 1] == settings.eos();
    int characters = prompt.length();
    return new EncodedRow(
        List.of(sequence), "", "", tokens, tokens - length, characters, stops, false, 0);
  }

  private int[] context(String prompt) throws MessageJson.UnreadableException {
    if (prompt.startsWith("[")) {
      try {
        JsonNode messages = JSON.readTree(prompt);
        if (!messages.isEmpty() && messages.path(0).isObject()) {
          List<Message> turns = new ArrayList<>();
          for (JsonNode message : messages) {
            turns.add(MessageJson.read(message, turns.size(), unread -> {}));
          }
          return template.encode(tokenizer, turns, true).ids();
        }
      } catch (JsonProcessingException e) {
        // A text that begins so.
      }
    }
    int[] prefix = tokenizer.prefix();
    int[] text = tokenizer.encode(prompt);
    int[] ids = Arrays.copyOf(prefix, prefix.length + text.length);
    System.arraycopy(text, 0, ids, prefix.length, text.length);
    return ids;
  }

  /** Leading white space aside, which some write before a word's first token and some do not. */
  private void check(String token, OptionalInt id) {
    if (id.isEmpty()) {
      return;
    }
    int most = Math.min(tokenizer.vocabSize(), TaughtTokens.MOST_IDS);
    String own = id.getAsInt() < most ? tokenizer.decode(new int[] {id.getAsInt()}, false) : null;
    if (own == null || !(token.isEmpty() || token.stripLeading().equals(own.stripLeading()))) {
      throw JobException.invalid(
          "Option --distill: token %s is '%s' of the teacher and %s of the student: the vocabularies must be one"
              .formatted(id.getAsInt(), token, own == null ? "none" : "'" + own + "'"));
    }
  }
}
