package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;

/** Responses: what stands in them is kept by nobody, and taken for what its type says. */
final class HttpReplies {
  static final String PAGE = "text/html; charset=utf-8";
  static final String METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

  private static final String JSON = "application/json";
  private static final String EVENTS = "text/event-stream; charset=utf-8";

  private HttpReplies() {}

  static DefaultFullHttpResponse json(int status, String body) {
    return whole(status, JSON, body);
  }

  /** An error in the form of all errors. */
  static DefaultFullHttpResponse refusal(ApiException error) {
    DefaultFullHttpResponse response = json(error.status(), error(error).toString());
    switch (error.status()) {
      case 429, 503 -> response.headers().set(HttpHeaderNames.RETRY_AFTER, "1");
      // It would take as long again; clients of OpenAI's listen to this.
      case 504 -> response.headers().set("x-should-retry", "false");
      default -> {}
    }
    return response;
  }

  static ObjectNode error(ApiException error) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.putObject("error")
        .put("message", error.message())
        .put("type", error.status() < 500 ? "invalid_request_error" : "server_error")
        .put("param", error.parameter().orElse(null))
        .put("code", error.code());
    return body;
  }

  static DefaultFullHttpResponse whole(int status, String type, String body) {
    ByteBuf bytes = Unpooled.copiedBuffer(body, StandardCharsets.UTF_8);
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), bytes);
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, bytes.readableBytes());
    harden(response.headers());
    return response;
  }

  /** The head of a stream. */
  static HttpResponse events() {
    var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    head.headers().set(HttpHeaderNames.CONTENT_TYPE, EVENTS);
    harden(head.headers());
    return head;
  }

  private static void harden(HttpHeaders headers) {
    headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
  }
}
