package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.sample.StudentEngine;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection: a request after the other. All fields belong to the connection's thread; what an
 * answer becomes on a student's thread is passed over to it.
 */
final class ApiHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);

  /** A connection without a whole request for so long is closed. */
  private static final int WAIT_SECONDS = 60;

  /** Bytes that a client may leave unread while more are written. */
  private static final long MOST_PENDING = 8 << 20;

  /** Bytes of a vote: two answers and what they answer. */
  private static final int MOST_VOTE = 1 << 20;

  private static final String BEARER = "Bearer ";

  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETIONS = "/v1/completions";
  private static final String VOTES = "/v1/judgements";

  /** Paths that ask for no key. */
  private static final Set<String> OPEN = Set.of("/", "/health", "/metrics");

  /** Paths, and the method that each takes. */
  private static final Map<String, String> METHODS =
      Map.of(
          "/",
          "GET",
          "/health",
          "GET",
          "/metrics",
          "GET",
          "/v1/models",
          "GET",
          CHAT,
          "POST",
          COMPLETIONS,
          "POST",
          VOTES,
          "POST");

  private static final String MODELS = "/v1/models/";

  private final StudentServer server;
  private @Nullable Exchange now;
  private @Nullable Future<?> deadline;

  /** Whether there was no room as the head of the request came; then it has no body. */
  private boolean full;

  ApiHandler(StudentServer server) {
    this.server = server;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    await(context);
  }

  /** The next request has so long to come. */
  private void await(ChannelHandlerContext context) {
    if (deadline != null) {
      deadline.cancel(false);
    }
    deadline =
        context
            .executor()
            .schedule(
                () -> {
                  var unused = context.close();
                },
                WAIT_SECONDS,
                TimeUnit.SECONDS);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
    if (now != null) {
      return;
    }
    if (deadline != null) {
      deadline.cancel(false);
    }
    var exchange = new Exchange(context, request);
    now = exchange;
    try {
      answer(exchange, request);
    } catch (ApiException e) {
      exchange.refuse(e);
    }
  }

  private void answer(Exchange exchange, FullHttpRequest request) throws ApiException {
    if (request.decoderResult().isFailure()) {
      exchange.keepAlive = false;
      throw ApiException.of(400, "invalid_request", "The request is no HTTP");
    }
    String path = path(request);
    checkHead(request, path);
    switch (path) {
      case "/" -> page(exchange);
      case "/health" -> health(exchange);
      case "/metrics" ->
          exchange.write(HttpReplies.whole(200, HttpReplies.METRICS, server.figures().page()));
      case VOTES -> vote(exchange, request);
      case CHAT, COMPLETIONS -> generate(exchange, request, path.equals(CHAT));
      default -> {
        String model = ofModel(path) ? path.substring(MODELS.length()) : "";
        exchange.write(HttpReplies.json(200, models(model)));
      }
    }
  }

  /** Whether the body of the request that begins will be read, as far as its head says. */
  boolean wantsBody(HttpRequest head) {
    if (now != null) {
      // Its sender has not waited for the answer, and may send it again.
      now.keepAlive = false;
      return false;
    }
    full = false;
    try {
      String path = path(head);
      full = !path.equals(VOTES) && !server.hasRoom();
      checkHead(head, path);
      return "POST".equals(method(path)) && !server.isDraining() && !full;
    } catch (ApiException e) {
      return false;
    }
  }

  /** What needs no body to be refused. */
  private void checkHead(HttpRequest head, String path) throws ApiException {
    String method = method(path);
    if (method == null) {
      throw ApiException.of(404, "unknown_url", "There is no such page");
    }
    if (!head.method().name().equals(method)) {
      throw ApiException.of(405, "method_not_allowed", "Expected " + method);
    }
    checkOrigin(head.headers());
    if (!OPEN.contains(path)) {
      checkKey(head.headers());
    }
  }

  private static @Nullable String method(String path) {
    return ofModel(path) ? "GET" : METHODS.get(path);
  }

  private static boolean ofModel(String path) {
    return path.startsWith(MODELS) && path.length() > MODELS.length();
  }

  private static String path(HttpRequest request) throws ApiException {
    try {
      return new QueryStringDecoder(request.uri()).path();
    } catch (IllegalArgumentException e) {
      throw ApiException.of(400, "invalid_request", "The request's path cannot be read");
    }
  }

  private void page(Exchange exchange) {
    DefaultFullHttpResponse page = HttpReplies.whole(200, HttpReplies.PAGE, server.page());
    page.headers().set("X-Frame-Options", "DENY");
    exchange.write(page);
  }

  private void health(Exchange exchange) {
    boolean draining = server.isDraining();
    String says = draining ? "{\"status\":\"draining\"}" : "{\"status\":\"ok\"}";
    exchange.write(HttpReplies.json(draining ? 503 : 200, says));
  }

  /** A page of another site has no business here, whatever its visitor's browser may reach. */
  private void checkOrigin(HttpHeaders headers) throws ApiException {
    String origin = headers.get(HttpHeaderNames.ORIGIN);
    if (origin == null) {
      return;
    }
    String site = origin.replaceFirst("^https?://", "");
    // A name of its own may lead to this machine too: of a server that only this machine reaches,
    // the name must be this machine's.
    boolean ours =
        server.isLocal()
            ? site.matches("(?:localhost|127\\.0\\.0\\.1|\\[::1])(?::\\d{1,5})?")
            : site.equals(headers.get(HttpHeaderNames.HOST));
    if (!ours) {
      throw ApiException.of(403, "foreign_origin", "Pages of other sites are not answered");
    }
  }

  private void checkKey(HttpHeaders headers) throws ApiException {
    String wanted = server.key().reveal();
    String given = Optional.ofNullable(headers.get(HttpHeaderNames.AUTHORIZATION)).orElse("");
    boolean right =
        given.startsWith(BEARER)
            && MessageDigest.isEqual(
                given.substring(BEARER.length()).getBytes(StandardCharsets.UTF_8),
                wanted.getBytes(StandardCharsets.UTF_8));
    if (!wanted.isEmpty() && !right) {
      throw ApiException.of(
          401, "invalid_api_key", "Give the server's key as Authorization: Bearer KEY");
    }
  }

  private String models(String wanted) throws ApiException {
    ObjectNode list = JsonNodeFactory.instance.objectNode().put("object", "list");
    ArrayNode data = list.putArray("data");
    for (String name : server.models().names()) {
      ObjectNode model =
          JsonNodeFactory.instance
              .objectNode()
              .put("id", name)
              .put("object", "model")
              .put("created", 0)
              .put("owned_by", "distillery")
              .put("max_model_len", server.models().first().context());
      if (name.equals(wanted)) {
        return model.toString();
      }
      data.add(model);
    }
    if (!wanted.isEmpty()) {
      throw unknownModel(wanted);
    }
    return list.toString();
  }

  private ApiException unknownModel(String name) {
    String shown = name.length() > 100 ? name.substring(0, 100) + "..." : name;
    return ApiException.of(
        404,
        "model_not_found",
        "No model is called '%s'; there are %s"
            .formatted(shown, String.join(", ", server.models().names())));
  }

  private void generate(Exchange exchange, FullHttpRequest request, boolean chat)
      throws ApiException {
    checkOpen();
    if (full || !server.hasRoom()) {
      throw ApiException.of(429, "queue_full", "Too many requests wait already; ask again later");
    }
    exchange.counted = true;
    server.figures().request();
    byte[] body = ByteBufUtil.getBytes(request.content());
    server.read(body.length, () -> begin(exchange, body, chat));
  }

  private void checkOpen() throws ApiException {
    if (server.isDraining()) {
      throw ApiException.of(503, "shutting_down", "The server is about to end");
    }
  }

  private void vote(Exchange exchange, FullHttpRequest request) throws ApiException {
    checkOpen();
    ChatVoteLog votes =
        server
            .votes()
            .orElseThrow(
                () ->
                    ApiException.of(
                        404, "unknown_url", "Votes are kept by a server with --judgements FILE"));
    if (request.content().readableBytes() > MOST_VOTE) {
      throw ApiException.of(
          413, "request_too_large", "The vote has more than " + MOST_VOTE + " bytes");
    }
    byte[] body = ByteBufUtil.getBytes(request.content());
    server.read(body.length, () -> keep(exchange, votes, body));
  }

  /** On a thread that may take its time. */
  private void keep(Exchange exchange, ChatVoteLog votes, byte[] body) {
    try {
      votes.keep(ChatVote.read(body, server.models().names()));
      exchange.send(JsonNodeFactory.instance.objectNode().put("kept", true));
    } catch (ApiException e) {
      exchange.refuse(e);
    } catch (IOException | RuntimeException e) {
      LOG.error("A vote could not be kept", e);
      exchange.refuse(ApiException.of(500, "server_error", "The vote could not be kept"));
    }
  }

  /** On a thread that may take its time. */
  private void begin(Exchange exchange, byte[] body, boolean chat) {
    if (exchange.over) {
      return;
    }
    try {
      ApiRequest request = ApiRequestReader.read(body, chat);
      String name = request.model().orElse(server.models().names().get(0));
      StudentEngine engine = server.models().find(name).orElseThrow(() -> unknownModel(name));
      ServedCall call =
          ServedCall.begin(request, name, engine, server.seed(), exchange, server.figures());
      exchange.begun(call);
      call.submit(engine);
    } catch (ApiException e) {
      exchange.refuse(e);
    } catch (RuntimeException | Error e) {
      // Whatever it is, somebody waits for an answer.
      LOG.error("A request could not be read", e);
      exchange.refuse(ApiException.of(500, "server_error", "The request could not be read"));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (deadline != null) {
      deadline.cancel(false);
    }
    if (now != null) {
      now.gone();
    }
  }

  /** A request has begun to come, nothing of an answer was taken for long, or the server ends. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event == WholeRequests.BEGUN && now == null) {
      await(context);
    } else if (event instanceof IdleStateEvent && pending(context) > 0) {
      var unused = context.close();
    } else if (event == StudentServer.ENDS && now != null) {
      now.cut();
    }
  }

  /** Bytes that are written and not sent. */
  private static long pending(ChannelHandlerContext context) {
    ChannelOutboundBuffer buffer = context.channel().unsafe().outboundBuffer();
    return buffer == null ? 0 : buffer.totalPendingWriteBytes();
  }

  /** A connection that broke is closed; there is nobody to be told. */
  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    LOG.debug("A connection broke", cause);
    var unused = context.close();
  }

  /** One request and its answer. */
  private final class Exchange implements ServedCall.Client {
    private final ChannelHandlerContext context;
    private final boolean chunked;
    private boolean keepAlive;
    private boolean counted;
    private boolean streaming;

    /** Whether it is answered, or its client has gone; other threads look before they begin. */
    private volatile boolean over;

    /** None before its request was read; then its client may have gone already. */
    private @Nullable ServedCall call;

    Exchange(ChannelHandlerContext context, HttpRequest request) {
      this.context = context;
      this.chunked = request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) >= 0;
      this.keepAlive = chunked && HttpUtil.isKeepAlive(request);
    }

    private void onItsThread(Runnable work) {
      if (context.executor().inEventLoop()) {
        work.run();
      } else {
        try {
          context.executor().execute(work);
        } catch (RejectedExecutionException e) {
          // The server has ended, and with it every connection.
          LOG.debug("Nobody is told any more", e);
        }
      }
    }

    void begun(ServedCall begun) {
      onItsThread(
          () -> {
            call = begun;
            if (over) {
              begun.leave();
            }
          });
    }

    /** The server ends, and waits for no answer any more. */
    void cut() {
      if (call != null) {
        call.leave();
      }
      refuse(ApiException.of(503, "shutting_down", "The server has ended before the answer"));
    }

    /** The client has left. */
    void gone() {
      if (!over) {
        over = true;
        if (counted) {
          server.figures().left();
          server.figures().ended();
        }
      }
      if (call != null) {
        call.leave();
      }
    }

    @Override
    public void event(ObjectNode data) {
      String text = "data: " + data + "\n\n";
      onItsThread(() -> write(text));
    }

    private void write(String event) {
      if (over) {
        return;
      }
      if (!streaming) {
        streaming = true;
        HttpResponse head = HttpReplies.events();
        if (chunked) {
          HttpUtil.setTransferEncodingChunked(head, true);
        } else {
          keepAlive = false;
        }
        HttpUtil.setKeepAlive(head, keepAlive);
        server.figures().status(200);
        var unused = context.write(head);
      }
      ByteBuf bytes = Unpooled.copiedBuffer(event, StandardCharsets.UTF_8);
      var unused = context.writeAndFlush(new DefaultHttpContent(bytes));
      if (pending(context) > MOST_PENDING) {
        var unusedToo = context.close();
      }
    }

    @Override
    public void send(ObjectNode body) {
      String text = body.toString();
      onItsThread(() -> write(HttpReplies.json(200, text)));
    }

    @Override
    public void refuse(ApiException error) {
      onItsThread(
          () -> {
            if (streaming) {
              write("data: " + HttpReplies.error(error) + "\n\n");
              keepAlive = false;
              finish();
              return;
            }
            write(HttpReplies.refusal(error));
          });
    }

    /** Sends a whole response. */
    private void write(DefaultFullHttpResponse response) {
      if (over) {
        response.release();
        return;
      }
      keepAlive = keepAlive && !server.isDraining();
      HttpUtil.setKeepAlive(response, keepAlive);
      server.figures().status(response.status().code());
      sent(context.writeAndFlush(response));
    }

    @Override
    public void endEvents() {
      onItsThread(
          () -> {
            write("data: [DONE]\n\n");
            finish();
          });
    }

    private void finish() {
      if (!over) {
        sent(context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT));
      }
    }

    /** The answer is on its way: the next request may come. */
    private void sent(ChannelFuture future) {
      over = true;
      now = null;
      var unused =
          future.addListener(
              done -> {
                // Told or lost, it is in work no more.
                if (counted) {
                  server.figures().ended();
                }
                if (!keepAlive) {
                  var unusedToo = context.close();
                } else if (now == null) {
                  await(context);
                }
              });
    }
  }
}
