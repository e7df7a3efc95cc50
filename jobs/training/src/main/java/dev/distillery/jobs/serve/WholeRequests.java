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
 * its head says will be refused, no body is kept.
 */
final class WholeRequests extends HttpObjectAggregator {
  /** Said once the head of a request is there. */
  static final Object BEGUN = new Object();

  /** Bytes of a request. */
  static final int MOST_BODY = 8 << 20;

  private final Predicate<HttpRequest> wantsBody;
  private final ServerFigures figures;
  private boolean kept;

  WholeRequests(Predicate<HttpRequest> wantsBody, ServerFigures figures) {
    super(MOST_BODY);
    this.wantsBody = wantsBody;
    this.figures = figures;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    if (message instanceof HttpRequest head) {
      kept = head.decoderResult().isFailure() || wantsBody.test(head);
      context.fireUserEventTriggered(BEGUN);
    } else if (!kept && message instanceof HttpContent content) {
      ReferenceCountUtil.release(content);
      if (content instanceof LastHttpContent) {
        super.channelRead(context, LastHttpContent.EMPTY_LAST_CONTENT);
      }
      return;
    }
    super.channelRead(context, message);
  }

  @Override
  protected void handleOversizedMessage(ChannelHandlerContext context, HttpMessage oversized) {
    HttpResponse response =
        HttpReplies.refusal(
            ApiException.of(
                413, "request_too_large", "The request has more than " + MOST_BODY + " bytes"));
    response.headers().set(HttpHeaderNames.CONNECTION, "close");
    figures.status(413);
    var unused = context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }
}
