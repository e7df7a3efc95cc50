package dev.distillery.jobs.serve;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.teacher.Secret;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * Students behind an address: accepts connections, each with an {@link ApiHandler}, and bounds what
 * they may take. Two threads read and write all of them, two others make tokens of requests; what
 * is decoded is the students' own.
 */
final class StudentServer implements AutoCloseable {
  /** Connections at the same time; others are closed. */
  private static final int MOST_CONNECTIONS = 2048;

  /** A client that takes nothing of an answer for so long is left. */
  private static final int STALLED_SECONDS = 60;

  private static final int LINE_BYTES = 8 << 10;
  private static final int HEADER_BYTES = 32 << 10;
  private static final int THREADS = 2;
  private static final int STOP_SECONDS = 5;

  /** Said to connections at the end. */
  static final Object ENDS = new Object();

  /**
   * What is served.
   *
   * @param key that clients must give; none where it is empty
   * @param votes where those of the page are kept, if anywhere
   */
  record Served(
      ServedModels models, Secret key, ServerFigures figures, Optional<ChatVoteLog> votes) {}

  private final Served served;
  private final String page;
  private final long mostInWork;
  private final SecureRandom random = new SecureRandom();
  private final HeldBodies bodies = new HeldBodies();
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final ExecutorService readers;
  private final EventLoopGroup loops;
  private final Channel listening;
  private volatile boolean draining;

  private StudentServer(Served served, String host, int port, int queue) {
    ServedModels models = served.models();
    this.served = served;
    this.page = ChatPage.html(served.votes().isPresent());
    this.mostInWork = models.names().size() * (long) models.first().rows() + queue;
    this.readers = Executors.newFixedThreadPool(THREADS, named("distillery-serve-reader"));
    this.loops = loops();
    try {
      this.listening =
          new ServerBootstrap()
              .group(loops)
              .channel(NioServerSocketChannel.class)
              .option(ChannelOption.SO_REUSEADDR, true)
              .childOption(ChannelOption.TCP_NODELAY, true)
              .childOption(ChannelOption.SO_KEEPALIVE, true)
              .childHandler(
                  new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                      accept(channel);
                    }
                  })
              .bind(new InetSocketAddress(host, port))
              .syncUninterruptibly()
              .channel();
    } catch (RuntimeException e) {
      stop();
      throw e;
    }
  }

  /** The name is that of Netty 4.1 and 4.2. */
  @SuppressWarnings("deprecation")
  private static EventLoopGroup loops() {
    return new NioEventLoopGroup(THREADS, named("distillery-serve"));
  }

  private static ThreadFactory named(String name) {
    return work -> {
      var thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }

  /**
   * Starts to serve.
   *
   * @param port 0 for any that is free
   * @param queue requests that may wait beside those that are answered
   * @throws JobException where the address cannot be had
   */
  static StudentServer start(Served served, String host, int port, int queue) {
    var address = new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw JobException.invalid(
          "Option --host: no address is known for '%s'; give one of this machine".formatted(host));
    }
    try {
      return new StudentServer(served, host, port, queue);
    } catch (JobException e) {
      throw e;
    } catch (Exception e) {
      // Netty throws what binding has thrown, whatever the signature says.
      throw new JobException(
          ExitCode.INVALID,
          "Options --host %s and --port %s: %s; choose another port, or an address of this machine"
              .formatted(host, port, e.getMessage()),
          e);
    }
  }

  private void accept(SocketChannel channel) {
    if (connections.size() >= MOST_CONNECTIONS) {
      var unused = channel.close();
      return;
    }
    connections.add(channel);
    var handler = new ApiHandler(this);
    channel
        .pipeline()
        .addLast(new HttpServerCodec(LINE_BYTES, HEADER_BYTES, LINE_BYTES))
        .addLast(new IdleStateHandler(true, 0, STALLED_SECONDS, 0, TimeUnit.SECONDS))
        .addLast(new WholeRequests(handler::wantsBody, bodies, figures()))
        .addLast(handler);
  }

  ServedModels models() {
    return served.models();
  }

  Secret key() {
    return served.key();
  }

  ServerFigures figures() {
    return served.figures();
  }

  /** Where votes of the page are kept, if anywhere. */
  Optional<ChatVoteLog> votes() {
    return served.votes();
  }

  /** The page at {@code /}. */
  String page() {
    return page;
  }

  /** Whether one request more may wait. */
  boolean hasRoom() {
    return figures().inWork() < mostInWork;
  }

  /** Whether nothing new is taken. */
  boolean isDraining() {
    return draining;
  }

  /** Does what would hold up a connection's thread. */
  void read(int bytes, Runnable work) {
    bodies.hold(bytes);
    readers.execute(
        () -> {
          try {
            work.run();
          } finally {
            bodies.free(bytes);
          }
        });
  }

  /** What draws are made of where a request has no seed. */
  long seed() {
    return random.nextLong();
  }

  /** Where it listens. */
  String address() {
    var address = (InetSocketAddress) listening.localAddress();
    String host = address.getHostString();
    return "http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  /** Whether only this machine reaches it. */
  boolean isLocal() {
    return ((InetSocketAddress) listening.localAddress()).getAddress().isLoopbackAddress();
  }

  /** Takes nothing new, and says so to who asks; what is in work goes on. */
  void drain() {
    draining = true;
  }

  private void stop() {
    readers.shutdownNow();
    loops
        .shutdownGracefully(0, STOP_SECONDS, TimeUnit.SECONDS)
        .awaitUninterruptibly(STOP_SECONDS + 1L, TimeUnit.SECONDS);
  }

  /** Ends: who still waits is told, and connections are closed. */
  @Override
  public void close() {
    if (loops.isShuttingDown()) {
      return;
    }
    drain();
    listening.close().syncUninterruptibly();
    // Before the loops end, as these close connections first.
    connections.stream()
        .map(
            channel ->
                channel.eventLoop().submit(() -> channel.pipeline().fireUserEventTriggered(ENDS)))
        .toList()
        .forEach(told -> told.awaitUninterruptibly(STOP_SECONDS, TimeUnit.SECONDS));
    stop();
  }
}
