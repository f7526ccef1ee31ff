"""Given names as English writes those of India, China, Japan, Korea and the Arabic world, which `faker` has in their own scripts only."""

from __future__ import annotations

from diasum.claims.lexicon import words

ROMANISED = words(
    # India and its neighbours
    "aditi aditya ajay akash akshay amit amrita anand ananya aniket anil anita anjali ankit ankita anu anup anurag aparna archana "
    "arjun arun aruna arvind ashish ashok ashwin avinash bhavna bharat chandra deepa deepak deepika dev devika dilip dinesh divya farhan "
    "ganesh gaurav geeta girish gopal harish harsh hemant imran indira ishaan jaya jayesh jyoti kabir kalpana kamal karan karthik kavita "
    "kavya kiran kishore krishna kunal lakshmi lalit lata leela madhavi madhu mahesh manish manoj meena meera mehul mohan mukesh "
    "nandini naresh naveen neelam neeraj neha nikhil nisha nitin padma pallavi pankaj pooja prakash pramod pranav pradeep prasad prashant "
    "pratik praveen preeti prem priya priyanka radha raghav rahul raj rajan rajat rajeev rajendra rajesh rajiv rakesh ramesh "
    "rashmi ravi rekha renu ritu rohan rohit sachin sandeep sandhya sangeeta sanjay sanjeev santosh sarita satish seema shalini "
    "shankar shanti sharmila shilpa shivani shreya shruti siddharth smita sneha sonali srinivas subhash sudha sudhir suman sumit "
    "sunil sunita suresh surya sushma swati tanvi tarun tushar uday uma usha vandana varun vasant venkat vidya vijay vikas vikram "
    "vinay vinod vishal vivek yash yogesh zara"
    # China
    " bao chao chen chun cong dandan fang feng guang guo hong hua hui jia jian jiao jie jing jingjing juan jun kang lanlan lei "
    "liang lijuan lili lin ling meiling ming mingming na peng ping qian qiang qing rong rui shan shu tao ting wei weiwei wen xiang "
    "xiao xiaoming xin xiu xue yang yi ying yong yu yuan yue yun zhen zheng zhi"
    # Japan
    " aiko akemi aki akiko akira asuka ayaka ayumi chiyo daichi daisuke emiko etsuko fumiko haruka haruki haruto hideki hina hiroko "
    "hiroshi hitomi ichiro jiro jun junko kaito kaori katsu kazuki kazuko keiko keita kenichi kenji kenta kimiko koji kumiko kyoko "
    "makoto mamoru mariko masahiro masako masao mayumi megumi michiko midori miki minako misaki mitsuko miyuki momoko naoki naoko "
    "naomi natsuki noboru noriko osamu reiko ren ryo ryota sachiko sakura satoko satoshi sayaka shigeru shinji sho shota sora "
    "sumiko tadashi takashi takeshi takumi taro tatsuya tetsuya tomoko toshiro tsubasa yasuko yoko yoshi yoshiko yoshio yuka yuki "
    "yukiko yuko yumi yumiko yusuke yuta yuto"
    # Korea
    " dongmin eunji eunjung haeun hyejin hyun hyunwoo jaehyun jihoon jihye jimin jinwoo jisoo jiwoo jiyeon junho kyung mijin minho "
    "minji minjun minsu namjoon seojun seokjin seoyeon seung seungmin sooyoung soojin sungmin taehyung yejin yeonwoo yoona youngho "
    "yuna"
    # Arabic
    " abdul abdullah abdulrahman adnan aisha ahmad ahmed ali amal amina amir anas asma ayman aziz basma bilal dalia farid faisal "
    "fatima fatma habib hadi hala hamid hamza hanan hasan hassan hisham huda hussain hussein ibrahim iman ismail jamal jamila "
    "karim khadija khaled khalid laila latifa layla leila mahmoud malik mansour mariam maryam mohamed mohammad mohammed mona "
    "mostafa muhammad mustafa nabil nadia naima nasser noor nour omar osama rania rashid reem saad sabah said salah salim salma "
    "samar sami samir samira sana sara sumaya tarek tariq usama wael walid yasin yasmin youssef yusuf zahra zainab zaynab ziad"
)
# Of these, what English or another language also has as a word or a syllable counts only where something else says that it is a name.
DOUBTFUL = words(
    "anu dev hong hua hui jia jian jie jing juan kang lata lei lin ling na ping prem qing rui said shan shu sho sora tao ting wen "
    "yang yi ying yong yu yue yun aki ren ryo jun zhi zhen xin xiu ming peng feng fang guo bao chao chun cong guang rong"
)
