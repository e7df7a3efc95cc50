package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * A teacher that gives recorded replies, and costs nothing.
 *
 * <p>{@code --model} is a JSONL file, or a folder of them: one object a line with the columns of
 * {@code completions}, of which it reads {@code request_id, prompt, status, text, finish_reason,
 * prompt_tokens, completion_tokens, reasoning, error}. A line needs {@code text} and one of {@code
 * request_id} and {@code prompt}; other fields are passed over. A ledger's folder is such a folder.
 *
 * <p>A request is looked up by its id, else by its exact prompt, as {@link
 * TeacherRequest#promptText} writes it; among several recordings of one prompt the request's id
 * chooses, so that the answer hangs on neither order nor time. A recorded failure fails again, with
 * its category, not to be retried. Without a recording the request fails with {@code NOT_RECORDED}.
 */
public final class ReplayTeacher implements Teacher {
  private final Path path;
  private final Recordings recordings;

  ReplayTeacher(TeacherSettings settings) {
    this.path = Path.of(settings.model());
    this.recordings = Recordings.open(path);
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    var reply = new CompletableFuture<TeacherReply>();
    HttpClients.callbacks()
        .execute(
            () -> {
              try {
                reply.complete(find(request));
              } catch (TeacherException e) {
                reply.completeExceptionally(e);
              } catch (IOException e) {
                reply.completeExceptionally(
                    failure(Category.NOT_RECORDED, 0, path + ": " + e.getMessage()));
              }
            });
    return reply;
  }

  private TeacherReply find(TeacherRequest request) throws TeacherException, IOException {
    JsonNode row =
        recordings
            .find(request)
            .orElseThrow(
                () ->
                    failure(
                        Category.NOT_RECORDED,
                        0,
                        "No recording of request %s, by id or prompt, in %s"
                            .formatted(request.requestId(), path)));
    int status = row.path("http_status").asInt(0);
    if (Recordings.failed(row)) {
      String error = row.path("error").asText("");
      throw failure(category(error), status, "Recorded failure: " + error);
    }
    return new TeacherReply(
            row.path("text").asText(),
            FinishReasons.of(row.path("finish_reason").asText(FinishReasons.STOP)),
            row.path("prompt_tokens").asInt(-1),
            row.path("cached_prompt_tokens").asInt(0),
            row.path("completion_tokens").asInt(-1),
            status,
            RateLimits.NONE,
            text(row, "reasoning"))
        .with(TokenLogprob.fromJson(row.path("logprobs")))
        .calling(text(row, "tool_calls"));
  }

  private static Optional<String> text(JsonNode row, String column) {
    return Optional.of(row.path(column))
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .filter(said -> !said.isEmpty());
  }

  private static Category category(String error) {
    String name = error.split("[^a-z_]", 2)[0];
    for (Category category : Category.values()) {
      if (category.name().toLowerCase(Locale.ROOT).equals(name)) {
        return category;
      }
    }
    return Category.NOT_RECORDED;
  }

  private static TeacherException failure(Category category, int status, String message) {
    return new TeacherException(
        category, status, Optional.empty(), Optional.of(false), RateLimits.NONE, message);
  }

  @Override
  public String preflight() {
    return "%s recorded requests in %s".formatted(recordings.size(), path);
  }

  @Override
  public int maxConcurrency() {
    return Integer.MAX_VALUE;
  }

  @Override
  public void close() {
    try {
      recordings.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes teachers of kind {@code replay}. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "replay";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new ReplayTeacher(settings);
    }
  }
}
