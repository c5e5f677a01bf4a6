"""Stack traces as runtimes print them, for the tests of what is read from them."""

TRACES = {
    "java": """\
Exception in thread "main" java.io.IOException: no space left
\tat org.example.Disk.write(Disk.java:12)
\tat org.example.Disk.<init>(Disk.java:40)
\tat java.base/java.lang.Thread.run(Thread.java:750)
Caused by: java.lang.IllegalStateException: closed
\tat org.example.Pool.take(Pool.java:7) ~[pool-1.2.jar:?]
\t... 2 more""",
    "python": """\
Traceback (most recent call last):
  File "larder/cli.py", line 99, in main
    larder = storage.load(path)
             ~~~~~~~~~~~~^^^^^^
  File "larder/storage.py", line 40, in load
    data = json.loads(path.read_text(encoding="utf-8"))
KeyError: 'milk'""",
    "javascript": """\
Uncaught TypeError: x is undefined
    at Object.add [as run] (/srv/app/cart.js:12:5)
    at async /srv/app/index.js:3:1
    at new Cart (https://shop.example/cart.js:9:22)
    at <anonymous>:1:1
    at node:internal/process/task_queues:95:5""",
    "dotnet": """\
System.InvalidOperationException: Sequence contains no elements
   at System.Linq.Enumerable.First[T](IEnumerable`1 source)
   at Shop.Cart.<AddAsync>d__12.MoveNext() in C:\\src\\Cart.cs:line 31""",
    "go": """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.(*Cart).Add(0xc000012345, 0x5)
\t/src/shop/cart.go:17 +0x1d
main.main()
\t/src/shop/main.go:9 +0x25
exit status 2""",
    "ruby": """\
cart.rb:12:in `add': undefined method `price' for nil (NoMethodError)
\tfrom cart.rb:30:in `block in each'
\tfrom shop.rb:4:in 'Shop#run'""",
    "php": """\
PHP Fatal error:  Uncaught Exception: no price
Stack trace:
#0 /var/www/cart.php(12): Cart->add('milk', 5)
#1 /var/www/shop.php(3): Shop::run(Array)
#2 {main}""",
    "c": """\
Program received signal SIGSEGV, Segmentation fault.
#0  0x00007ffff7a42428 in raise () from /lib/libc.so.6
#1  0x0000000000401136 in cart_add (cart=0x0, price=5) at cart.c:12
#2  main (argc=1, argv=0x7ffe3) at main.c:3""",
    "rust": """\
thread 'main' panicked at src/cart.rs:12:5:
stack backtrace:
   0: std::panicking::begin_panic
             at /rustc/90b35a6/library/std/src/panicking.rs:616:12
   1: shop::cart::add
             at ./src/cart.rs:12:5""",
    "apple": """\
Thread 0 Crashed:
0   Shop    0x0000000102a4c1d8 -[Cart add:] + 124
1   UIKitCore    0x00000001a4f6c0e4 -[UIApplication run] + 88""",
}
