/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin in C++17: works out an expression of whole numbers.
 *
 *	[service calc]
 *
 *	$ bayctl call calc '2 * (3 + 4)'
 *	14
 *
 *	sum     = product { ('+' | '-') product }
 *	product = factor { ('*' | '/') factor }
 *	factor  = number | '-' factor | '(' sum ')'
 *
 * Whatever is wrong is thrown where it is found and becomes the failure of the request, in
 * bay::guarded: nothing on the way looks at a status.
 */
#include <cctype>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <bay/bay.h>
#include <bay/plugin.hpp>

namespace {

/* Deeper nesting would need more stack than a task has for sure. */
constexpr int max_depth = 200;

class Expression {
public:
	explicit Expression(std::string_view text) : text_(text) {}

	int64_t value()
	{
		int64_t result = sum();

		if (skip() != '\0')
			fail("an operator is missing");
		return result;
	}

private:
	[[noreturn]] void fail(const char *what) const
	{
		throw std::invalid_argument(std::string(what) + " at character " + std::to_string(at_ + 1));
	}

	/* The next character that is no blank; NUL at the end. */
	char skip()
	{
		while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])))
			at_++;
		return at_ < text_.size() ? text_[at_] : '\0';
	}

	int64_t checked(bool overflow, int64_t result) const
	{
		if (overflow)
			fail("more than 64 bits");
		return result;
	}

	int64_t sum()
	{
		int64_t left = product(), result;

		for (char sign = skip(); sign == '+' || sign == '-'; sign = skip()) {
			at_++;
			int64_t right = product();
			bool overflow = sign == '+' ? __builtin_add_overflow(left, right, &result)
				: __builtin_sub_overflow(left, right, &result);
			left = checked(overflow, result);
		}
		return left;
	}

	int64_t product()
	{
		int64_t left = factor();

		for (char sign = skip(); sign == '*' || sign == '/'; sign = skip()) {
			at_++;
			int64_t right = factor();
			left = sign == '*' ? multiplied(left, right) : divided(left, right);
		}
		return left;
	}

	int64_t multiplied(int64_t left, int64_t right) const
	{
		int64_t result;
		bool overflow = __builtin_mul_overflow(left, right, &result);

		return checked(overflow, result);
	}

	int64_t divided(int64_t left, int64_t right) const
	{
		if (right == 0)
			fail("a division by zero");
		return right == -1 ? multiplied(left, right) : left / right;
	}

	int64_t factor()
	{
		char next = skip();
		int64_t result;

		if (++depth_ > max_depth)
			fail("too many brackets and signs");
		if (next == '-') {
			at_++;
			result = factor();
			bool overflow = __builtin_sub_overflow(int64_t{0}, result, &result);
			result = checked(overflow, result);
		} else if (next == '(') {
			at_++;
			result = sum();
			if (skip() != ')')
				fail("a bracket is not closed");
			at_++;
		} else {
			result = number();
		}
		depth_--;
		return result;
	}

	int64_t number()
	{
		int64_t result = 0;
		size_t begin = at_;

		for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; at_++) {
			bool overflow = __builtin_mul_overflow(result, int64_t{10}, &result) ||
				__builtin_add_overflow(result, int64_t{text_[at_] - '0'}, &result);
			result = checked(overflow, result);
		}
		if (at_ == begin)
			fail("a number is missing");
		return result;
	}

	std::string_view text_;
	size_t at_ = 0;
	int depth_ = 0;
};

int
calc(bay_request *request)
{
	Expression expression({bay_request_text(request), bay_request_size(request)});

	return bay_reply_int64(request, expression.value());
}

} // namespace

BAY_PLUGIN_CXX(calc, "1.0.0",
	.summary("works out an expression of whole numbers")
	.handle(bay::guarded<calc>));
