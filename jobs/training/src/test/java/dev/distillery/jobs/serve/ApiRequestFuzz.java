package dev.distillery.jobs.serve;

import java.util.Arrays;

/**
 * A body sent to {@code serve}: refused with a status of 400 and words, or a request whose numbers
 * are all within what the student takes. The first byte says which address it came to.
 */
public final class ApiRequestFuzz {
  private ApiRequestFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    if (data.length == 0) {
      return;
    }
    boolean chat = data[0] % 2 == 0;
    ApiRequest request;
    try {
      request = ApiRequestReader.read(Arrays.copyOfRange(data, 1, data.length), chat);
    } catch (ApiException e) {
      if (e.status() != 400 || e.message().isBlank() || e.message().length() > 1_000) {
        throw new IllegalStateException(e.status() + ": " + e.message(), e);
      }
      return;
    }
    if (request.chat() != chat
        || request.choices() < 1
        || request.choices() > ApiRequestReader.MOST_CHOICES
        || request.sampling().maxNewTokens() < 1
        || (request.silent() && !request.echo())
        || request.topLogprobs().orElse(0) > 20
        || !(request.sampling().temperature().orElse(1) <= 2)
        || request.sampling().stop().contains("")) {
      throw new IllegalStateException("A request that no student takes: " + request);
    }
  }
}
