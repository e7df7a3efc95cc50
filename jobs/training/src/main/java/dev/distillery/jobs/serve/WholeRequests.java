package dev.distillery.jobs.serve;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Predicate;

/**
 * Puts requests together, and refuses what is too long in the form of all errors. Of a request that
 * its head says will be refused, no body is kept, nor of one that comes while those of others take
 * all the room.
 */
final class WholeRequests extends HttpObjectAggregator {
  /** Said once the head of a request is there. */
  static final Object BEGUN = new Object();

  /** Bytes of a request. */
  static final int MOST_BODY = 8 << 20;

  private final Predicate<HttpRequest> wantsBody;
  private final HeldBodies bodies;
  private final ServerFigures figures;
  private boolean kept;

  /** Bytes of the request that comes. */
  private long taken;

  /** Whether the connection is about to be closed. */
  private boolean refused;

  WholeRequests(Predicate<HttpRequest> wantsBody, HeldBodies bodies, ServerFigures figures) {
    super(MOST_BODY);
    this.wantsBody = wantsBody;
    this.bodies = bodies;
    this.figures = figures;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (refused) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (message instanceof HttpRequest head) {
      kept = head.decoderResult().isFailure() || wantsBody.test(head);
      context.fireUserEventTriggered(BEGUN);
    } else if (message instanceof HttpContent content && !comes(context, content)) {
      return;
    }
    super.channelRead(context, message);
    if (message instanceof LastHttpContent) {
      free();
    }
  }

  /** Whether a piece of a body is to be kept; it is released otherwise. */
  private boolean comes(ChannelHandlerContext context, HttpContent content) throws Exception {
    int bytes = content.content().readableBytes();
    if (kept && bodies.take(bytes)) {
      taken += bytes;
      return true;
    }
    ReferenceCountUtil.release(content);
    if (kept) {
      refuse(
          context,
          ApiException.of(429, "queue_full", "Too much is being sent already; ask again later"));
    } else if (content instanceof LastHttpContent) {
      super.channelRead(context, LastHttpContent.EMPTY_LAST_CONTENT);
    }
    return false;
  }

  @Override
  protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
    refuse(
        context,
        ApiException.of(
            413, "request_too_large", "The request has more than " + MOST_BODY + " bytes"));
  }

  private void refuse(ChannelHandlerContext context, ApiException error) {
    refused = true;
    free();
    HttpResponse response = HttpReplies.refusal(error);
    response.headers().set(HttpHeaderNames.CONNECTION, "close");
    figures.status(error.status());
    var unused = context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) throws Exception {
    free();
    super.handlerRemoved(context);
  }

  private void free() {
    bodies.free(taken);
    taken = 0;
  }
}
