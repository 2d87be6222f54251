// SPDX-License-Identifier: MIT
// asio: async_read_some and async_write. Built twice: over epoll and over io_uring.
#include "../support/suite.h"
#include <asio.hpp>
#include <cstdint>
#include <memory>

using asio::ip::tcp;

class session : public std::enable_shared_from_this<session>
{
  public:
    explicit session(tcp::socket socket) : socket_(std::move(socket))
    {
    }

    void read()
    {
        auto self = shared_from_this();
        socket_.async_read_some(asio::buffer(data_),
                                [self](std::error_code error, std::size_t size) {
                                    if (!error) self->write(size);
                                });
    }

  private:
    void write(std::size_t size)
    {
        auto self = shared_from_this();
        asio::async_write(socket_, asio::buffer(data_, size),
                          [self](std::error_code error, std::size_t) {
                              if (!error) self->read();
                          });
    }

    tcp::socket socket_;
    char data_[16384];
};

class server
{
  public:
    explicit server(asio::io_context &context)
        : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0))
    {
        acceptor_.listen(4096);
        suite_serving_port(acceptor_.local_endpoint().port());
    }

    void accept()
    {
        acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
            if (!error) {
                socket.set_option(tcp::no_delay(true));
                std::make_shared<session>(std::move(socket))->read();
            }
            accept();
        });
    }

  private:
    tcp::acceptor acceptor_;
};

int main()
{
    suite_many_descriptors();
    asio::io_context context(1); // one thread, as the others
    server echo(context);
    echo.accept();
    context.run();
}
